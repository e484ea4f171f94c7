import type { TargetGoal } from "@dormouse/core";

/** A value with the count that it is about. */
export interface MeasuredCount {
  /** What the source gave, in the metric's base unit; at least 0. */
  readonly value: number;
  readonly desired: number;
  /** At least 1. */
  readonly ready: number;
}

/** What the formula makes of a value. */
export interface WantedReplicas {
  /** What one replica has on average. */
  readonly average: number;
  /** The count that would have the target's value on average; the present one within the tolerance. May be 0. */
  readonly wanted: number;
}

/** A part of a count that only comes from how fractions are stored: 3 × (0.9 ÷ 0.3) is 3, and not 4. */
const noise = 1e-9;

/**
 * The formula of the HorizontalPodAutoscaler: `ceil(count × average ÷ target)`, unless the average is within the
 * tolerance. Replicas that are not ready count for the present count: as if they had nothing where more are wanted, as
 * if they had just the target where fewer are. Those that are ending still carry their part where fewer are wanted.
 * https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#algorithm-details
 */
export function wantedReplicas(measured: MeasuredCount, goal: Omit<TargetGoal, "metric" | "window">): WantedReplicas {
  const { desired } = measured;
  const average = goal.valueKind === "total" ? measured.value / desired : measured.value;
  const assumed = goal.valueKind === "total" ? average : assumedAverage(average, measured, goal.value);
  const isOtherWay = average > goal.value !== assumed > goal.value;
  if (isOtherWay || isWithin(average, goal) || isWithin(assumed, goal)) return { average, wanted: desired };
  return { average, wanted: ceil((assumed / goal.value) * desired) };
}

function assumedAverage(average: number, { desired, ready }: MeasuredCount, target: number): number {
  if (average > target) return (average * Math.min(ready, desired)) / desired;
  if (ready <= desired) return (average * ready + target * (desired - ready)) / desired;
  return Math.min(target, (average * ready) / desired);
}

function isWithin(
  average: number,
  { value, tolerance, toleranceKind }: Omit<TargetGoal, "metric" | "window">,
): boolean {
  const farthest = toleranceKind === "absolute" ? tolerance : tolerance * value;
  return Math.abs(average - value) <= farthest + noise * value;
}

function ceil(replicas: number): number {
  return Math.min(Number.MAX_SAFE_INTEGER, Math.ceil(replicas * (1 - noise)));
}
