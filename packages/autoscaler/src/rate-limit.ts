import type { Milliseconds, RatePolicy, ScalingRules } from "@dormouse/core";
import type { TargetHistory } from "./target-history.ts";

/**
 * The most that a target may raise the count to now, never less than the present one; undefined: never in this
 * direction. By the rules of `behavior` in autoscaling/v2: what changed within a policy's period is taken back to get
 * the count that its limit is reckoned from.
 */
export function mostReplicas(history: TargetHistory, rules: ScalingRules, now: Milliseconds): number | undefined {
  const limits = rules.policies.map((rate) => mostBy(rate, history, now));
  switch (rules.selectPolicy) {
    case "disabled":
      return undefined;
    case "max":
      return Math.max(history.desired, ...limits);
    case "min":
      return Math.max(history.desired, Math.min(...limits));
  }
}

/** The least that a target may lower the count to now, never more than the present one; undefined: never in this direction. */
export function leastReplicas(history: TargetHistory, rules: ScalingRules, now: Milliseconds): number | undefined {
  const limits = rules.policies.map((rate) => leastBy(rate, history, now));
  switch (rules.selectPolicy) {
    case "disabled":
      return undefined;
    case "max":
      return Math.min(history.desired, ...limits);
    case "min":
      return Math.min(history.desired, Math.max(...limits));
  }
}

function mostBy({ type, value, period }: RatePolicy, history: TargetHistory, now: Milliseconds): number {
  const before = countBefore(history, now - period);
  return type === "pods" ? before + value : Math.ceil(before * (1 + value / 100));
}

/** A period that this process has not seen as a whole may have lowered it already. */
function leastBy({ type, value, period }: RatePolicy, history: TargetHistory, now: Milliseconds): number {
  if (now - history.since < period) return history.desired;
  const before = countBefore(history, now - period);
  return type === "pods" ? before - value : Math.trunc(before * (1 - value / 100));
}

function countBefore({ desired, changes }: TargetHistory, after: Milliseconds): number {
  return changes.reduce((count, { at, added, removed }) => (at > after ? count - added + removed : count), desired);
}
