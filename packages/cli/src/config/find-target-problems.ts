import { isDeepStrictEqual } from "node:util";
import { type ConfigIssue, type DormouseConfig, formatRef, pluginId } from "@dormouse/core";
import type { OpenedScaler } from "../host/plugin-opener.ts";
import type { PlacedResource } from "./placed-resource.ts";

/** Targets of single resources that can never change a count. What `defaults` say is for those resources that can. */
export function findTargetProblems(
  { defaults, autoscaler }: Pick<DormouseConfig, "defaults" | "autoscaler">,
  resources: readonly PlacedResource[],
  scalers: readonly Pick<OpenedScaler, "id" | "scaler">[],
): ConfigIssue[] {
  const capabilities = new Map(scalers.map(({ id, scaler }) => [id, scaler.capabilities]));
  return resources.flatMap((resource): ConfigIssue[] => {
    const { target, enabled } = resource.policy;
    if (target === undefined || !enabled || isDeepStrictEqual(target, defaults.target)) return [];
    const place = `${placeOf(resource)}.target`;
    const { scaler } = resource.ref;
    if (capabilities.get(scaler)?.replicas === "one") {
      const problem = `is for resources of several replicas, and the scaler "${scaler}" runs one`;
      return [{ place, problem, mend: "leave target out" }];
    }
    return sourceProblem(place, target, autoscaler.metrics);
  });
}

function sourceProblem(
  place: string,
  { source, valueKind }: NonNullable<PlacedResource["policy"]["target"]>,
  metrics: DormouseConfig["autoscaler"]["metrics"],
): ConfigIssue[] {
  const asked = source === undefined ? metrics[0] : metrics.find((each) => pluginId(each) === source);
  if (asked === undefined) {
    const problem = source === undefined ? "has no metrics source" : `"${source}" is no metrics source`;
    const known = metrics.map(pluginId).join(", ") || "none";
    return [{ place: `${place}.source`, problem, mend: `add it to autoscaler.metrics, which has ${known}` }];
  }
  if (asked.use !== "dlx" || valueKind === "total") return [];
  const problem = `is average, and the metrics source "${pluginId(asked)}" counts totals`;
  return [{ place: `${place}.valueKind`, problem, mend: "write valueKind: total, or name another source" }];
}

function placeOf({ ref, place }: PlacedResource): string {
  return place === undefined ? formatRef(ref) : `${place}.policy`;
}
