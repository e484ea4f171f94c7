import type { Milliseconds } from "@dormouse/core";
import type { Decision } from "./decision.ts";
import type { DecisionReason } from "./decision-reasons.ts";
import { explainDecision } from "./explain-decision.ts";
import type { Observation } from "./observation.ts";

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
}

/** A decision as it is kept until the next one; its words are made when somebody asks. */
export interface MadeDecision {
  /** Epoch ms. */
  readonly at: number;
  readonly decision: Decision;
  readonly inputs?: Observation;
}

/** What `why` prints of a decision. */
export function toDecisionRecord({ at, decision, inputs }: MadeDecision): DecisionRecord {
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
  };
}
