import type { Milliseconds } from "@dormouse/core";
import { decideRule } from "./decide-rule.ts";
import type { Decision } from "./decision.ts";
import type { KeepReason } from "./decision-reasons.ts";
import type { DlxObservation, RuleObservation } from "./observation.ts";

/** What a drain rests on: the resource's traffic was diverted, and nobody should use it any more. */
export interface DrainObservation {
  /** What would be decided now. */
  readonly decision: Decision;
  /** An operator asked: what is in use is waited for instead of ending the sleep. */
  readonly isAsked: boolean;
  readonly dlxs: readonly DlxObservation[];
  /** Rules that need a quiet sample from after the quiet period: by then the divert has reached everybody. */
  readonly rules: readonly RuleObservation[];
  /** Time since the divert was accepted, taken before anything else was read. */
  readonly elapsedMs: Milliseconds;
  /** How long nobody may have used it; at least the time in which routes settle. */
  readonly quietMs: Milliseconds;
  readonly limitMs: Milliseconds;
}

/** What a drain does next: it is over, it goes on, or the sleep ends here. */
export type DrainDecision =
  | { readonly kind: "drained" }
  | { readonly kind: "wait"; readonly about: string }
  | { readonly kind: "end"; readonly reason: KeepReason | "drain-timeout"; readonly about?: string };

/** What may pass by itself while a drain lasts. */
const passing: readonly KeepReason[] = ["peers-unknown", "dlx-unknown", "rule-unknown", "rule-stale"];
const passingIfAsked: readonly KeepReason[] = [...passing, "in-flight", "held", "rule-busy"];

/** Whether a diverted resource is quiet: no activity for the quiet period, and each rule idle by a sample from after that. */
export function decideDrain(seen: DrainObservation): DrainDecision {
  const { decision, elapsedMs, limitMs } = seen;
  if (decision.kind === "keep" && !isPassing(decision.reason, seen)) return { ...decision, kind: "end" };
  const obstacle = decision.kind === "keep" ? nameOf(decision) : obstacleOf(seen);
  if (obstacle === undefined) return { kind: "drained" };
  return elapsedMs < limitMs
    ? { kind: "wait", about: obstacle }
    : { kind: "end", reason: "drain-timeout", about: obstacle };
}

function isPassing(reason: KeepReason, { isAsked }: DrainObservation): boolean {
  return (isAsked ? passingIfAsked : passing).includes(reason);
}

function obstacleOf({ dlxs, rules, elapsedMs, quietMs }: DrainObservation): string | undefined {
  if (!(elapsedMs >= quietMs)) return "the quiet period is not over";
  const active = dlxs.find((dlx) => !dlx.known || !(dlx.idleForMs >= quietMs));
  if (active !== undefined) return `it was used at DLX ${active.id}`;
  for (const rule of rules) {
    const found = decideRule(rule);
    if (found?.kind === "keep") return nameOf(found);
    if (rule.ageMs !== undefined && !(rule.ageMs <= elapsedMs - quietMs))
      return `${rule.metric} has no sample from after the quiet period`;
  }
  return undefined;
}

function nameOf({ reason, about }: { readonly reason: string; readonly about?: string }): string {
  return about === undefined ? reason : `${reason} (${about})`;
}
