import type { Milliseconds } from "@dormouse/core";
import type { ScaleReason, TargetReason } from "./target-reasons.ts";

/** The numbers that a decision about a target compared; counts are within `minReplicas` and `maxReplicas`. */
export interface TargetFigures {
  /** What one replica has of the metric on average. */
  readonly average: number;
  /** What the formula makes of it. */
  readonly wanted: number;
  /** What the stabilisation windows leave of that. */
  readonly stabilized: number;
}

/** Whether a target changes the count of one resource in one tick, and why. */
export type TargetDecision =
  | {
      readonly kind: "scale";
      readonly reason: ScaleReason;
      readonly from: number;
      /** At least 1. */
      readonly to: number;
      readonly figures?: TargetFigures;
    }
  | {
      readonly kind: "keep";
      readonly reason: Exclude<TargetReason, ScaleReason>;
      readonly about?: string;
      /** Time until nothing but time can have changed the decision; left out: something has to happen. */
      readonly nextCheckInMs?: Milliseconds;
      readonly figures?: TargetFigures;
    };

type Keep = Extract<TargetDecision, { kind: "keep" }>;

/** A decision to leave the count. */
export function keepCount(reason: Keep["reason"], details: Omit<Keep, "kind" | "reason"> = {}): Keep {
  return { kind: "keep", reason, ...details };
}
