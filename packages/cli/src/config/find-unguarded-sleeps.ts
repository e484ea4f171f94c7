import { type ConfigIssue, formatRef } from "@dormouse/core";
import type { OpenedScaler } from "../host/plugin-opener.ts";
import type { PlacedResource } from "./placed-resource.ts";

/** Resources that one message names. */
const mostNamed = 3;

/**
 * Scalers that several hosts cannot share: without compare-and-set nothing keeps one host's sleep from undoing another's
 * wake, so their resources would never sleep, unless each accepts the risk.
 */
export function findUnguardedSleeps(
  resources: readonly PlacedResource[],
  scalers: readonly Pick<OpenedScaler, "id" | "place" | "scaler">[],
): ConfigIssue[] {
  return scalers.flatMap(({ id, place, scaler }) => {
    if (scaler.capabilities.compareAndSet) return [];
    const unguarded = resources.filter(({ ref, policy }) => ref.scaler === id && wouldSleep(policy));
    if (unguarded.length === 0) return [];
    const names = unguarded.slice(0, mostNamed).map(({ ref }) => formatRef(ref));
    const more = unguarded.length > mostNamed ? ` and ${unguarded.length - mostNamed} more` : "";
    const problem = `cannot compare and set, so among several hosts ${names.join(", ")}${more} would never sleep`;
    const mend =
      "run `dormouse up` without cluster, or accept the risk of a lost wake with the policy `sleep: best-effort`";
    return [{ place: `${place}.use`, problem, mend }];
  });
}

/** What accepts the risk is not asked about, nor what is never put to sleep. */
function wouldSleep({ enabled, sleep, minReplicas }: PlacedResource["policy"]): boolean {
  return enabled && sleep !== "best-effort" && minReplicas === 0;
}
