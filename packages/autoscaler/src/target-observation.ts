import type { Milliseconds, Policy, RoutingMode } from "@dormouse/core";
import type { OperationKind } from "./operations.ts";

/** The part of a policy that scaling to a target rests on. */
export type TargetPolicy = Pick<
  Policy,
  "target" | "minReplicas" | "maxReplicas" | "scaleUp" | "scaleDown" | "cooldown" | "flapGuard"
>;

/** What the target's source said at one moment. */
export interface TargetSample {
  /** Id of the source that was asked. */
  readonly source: string;
  /** The source sees only what passes a DLX. */
  readonly dlxOnly?: boolean;
  /** In the metric's base unit; left out: nothing is known. */
  readonly value?: number;
  /** Age of the newest measurement behind the value; left out: the source vouches for it. */
  readonly ageMs?: Milliseconds;
  /** Why nothing is known. */
  readonly problem?: string;
}

/** Everything that one decision about a count of replicas rests on besides its history: plain data, taken at one moment. */
export interface TargetObservation {
  /** Replicas wanted now. */
  readonly desired: number;
  /** Replicas that the platform calls ready. */
  readonly ready: number;
  /** What the scaler can do. */
  readonly replicas: "one" | "many";
  readonly policy: TargetPolicy;
  readonly sample: TargetSample;
  /** Where warm traffic goes; left out: all of it passes a DLX. */
  readonly routing?: RoutingMode;
  /** What this process does with the resource now. */
  readonly operation?: OperationKind;
  /** Somebody wakes it now, or puts it to sleep. */
  readonly inTransition?: boolean;
  /** Why the scaler's last list failed; left out: it did not. */
  readonly platformProblem?: string;
  /** Time until a new attempt after one that came to nothing; left out: none is waited for. */
  readonly retryInMs?: Milliseconds;
}
