import type { IdleRule, Milliseconds, Policy, ResourceState, RoutingMode } from "@dormouse/core";
import type { OperationKind } from "./operations.ts";

/** What one DLX said of one resource, or that it said nothing. */
export type DlxObservation =
  | {
      readonly known: true;
      /** What the peer discovery calls it, such as its pod's name. */
      readonly id: string;
      readonly inFlight: number;
      readonly held: number;
      /** Time since the last activity; the process's uptime where it saw none. */
      readonly idleForMs: Milliseconds;
    }
  | { readonly known: false; readonly id: string; readonly problem: string };

/** One idle rule with what its source said. */
export interface RuleObservation {
  readonly metric: string;
  readonly windowMs: Milliseconds;
  readonly threshold: number;
  /** Id of the source that was asked. */
  readonly source: string;
  /** The source sees only what passes a DLX. */
  readonly dlxOnly: boolean;
  /** Left out: nothing is known. */
  readonly value?: number;
  /** Age of the newest measurement behind the value; left out: the source vouches for it. */
  readonly ageMs?: Milliseconds;
  /** Why nothing is known. */
  readonly problem?: string;
}

/** The part of a policy that decisions rest on. */
export type SleepPolicy = Pick<Policy, "enabled" | "idleAfter" | "minAwake" | "wakeTimeout" | "minReplicas"> & {
  readonly idleRules: readonly Pick<IdleRule, "window">[];
};

/**
 * Everything that one decision rests on: plain data, taken at one moment. Times are ages in ms, so that the decision
 * needs no clock and the clocks of several machines need not agree.
 */
export interface Observation {
  readonly state: ResourceState["kind"];
  readonly desired: number;
  readonly ready: number;
  readonly policy: SleepPolicy;
  /** How long it has been awake without a wake or an update, as this process saw it. */
  readonly awakeForMs: Milliseconds;
  /** How long it has wanted replicas and had none ready, as this process saw it. */
  readonly unreadyForMs: Milliseconds;
  /** How long this process has watched the resource as the leader, without a gap. */
  readonly observedForMs: Milliseconds;
  /** The scaler can route the resource's own traffic. */
  readonly routes: boolean;
  readonly routing: RoutingMode;
  /** How long the traffic of a resource that routes has gone to the DLX, as this process knows it; left out: not known to. */
  readonly divertedForMs?: Milliseconds;
  /** Compare-and-set, or one process for everything, or a policy that takes the risk. */
  readonly guarded: boolean;
  /** Every DLX that is listed. Left out: the list could not be read. */
  readonly dlxs?: readonly DlxObservation[];
  readonly rules: readonly RuleObservation[];
  /** Keys of resources that depend on this one and are not asleep. */
  readonly awakeUsers: readonly string[];
  /** Why the scaler's last list failed; left out: it did not. */
  readonly platformProblem?: string;
  /** What this process does with the resource now. */
  readonly operation?: OperationKind;
  /** Time until a new attempt after one that came to nothing; left out: none is waited for. */
  readonly retryInMs?: Milliseconds;
}
