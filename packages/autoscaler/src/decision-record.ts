import type { Milliseconds } from "@dormouse/core";
import type { Decision } from "./decision.ts";
import type { DecisionReason } from "./decision-reasons.ts";
import { explainDecision } from "./explain-decision.ts";
import { explainTarget } from "./explain-target.ts";
import type { Observation } from "./observation.ts";
import type { TargetDecision, TargetFigures } from "./target-decision.ts";
import type { TargetObservation } from "./target-observation.ts";
import type { TargetReason } from "./target-reasons.ts";

/** The last decision about a resource with all it was made from: plain data, as `why` prints it. */
export interface DecisionRecord {
  /** Epoch ms. */
  readonly at: number;
  readonly decision: "keep" | "sleep";
  readonly reason: DecisionReason;
  /** Why, in a sentence. */
  readonly words: string;
  /** What has to happen before it changes. */
  readonly next: string;
  /** Time until time alone can change it, counted from `at`; left out: something has to happen. */
  readonly nextCheckInMs?: Milliseconds;
  /** What it was made from; left out where nothing was read, because this process does not lead. */
  readonly inputs?: Observation;
  /** What was decided at the same moment about its count; left out: it has no target, or no replicas are wanted. */
  readonly target?: TargetRecord;
}

/** The last decision about a resource's count of replicas, with all it was made from. */
export interface TargetRecord {
  readonly decision: "keep" | "scale";
  readonly reason: TargetReason;
  /** Why, in sentences. */
  readonly words: string;
  /** What has to happen before it changes. */
  readonly next: string;
  /** Replicas after it; left out: it is kept. */
  readonly to?: number;
  /** Time until time alone can change it, counted from the record's `at`; left out: something has to happen. */
  readonly nextCheckInMs?: Milliseconds;
  readonly figures?: TargetFigures;
  readonly inputs: TargetObservation;
}

/** A decision about a count as it is kept until the next one. */
export interface MadeTarget {
  readonly decision: TargetDecision;
  readonly inputs: TargetObservation;
}

/** A decision as it is kept until the next one; its words are made when somebody asks. */
export interface MadeDecision {
  /** Epoch ms. */
  readonly at: number;
  readonly decision: Decision;
  readonly inputs?: Observation;
  readonly target?: MadeTarget;
}

/** What `why` prints of a decision. */
export function toDecisionRecord({ at, decision, inputs, target }: MadeDecision): DecisionRecord {
  const { words, next } = explainDecision(decision, inputs);
  const nextCheckInMs = decision.kind === "keep" ? decision.nextCheckInMs : undefined;
  return {
    at,
    decision: decision.kind,
    reason: decision.reason,
    words,
    next,
    ...(nextCheckInMs !== undefined && { nextCheckInMs }),
    ...(inputs !== undefined && { inputs }),
    ...(target !== undefined && { target: toTargetRecord(target) }),
  };
}

function toTargetRecord({ decision, inputs }: MadeTarget): TargetRecord {
  const { kind, reason, figures } = decision;
  const nextCheckInMs = kind === "keep" ? decision.nextCheckInMs : undefined;
  return {
    decision: kind,
    reason,
    ...explainTarget(decision, inputs),
    ...(kind === "scale" && { to: decision.to }),
    ...(nextCheckInMs !== undefined && { nextCheckInMs }),
    ...(figures !== undefined && { figures }),
    inputs,
  };
}
