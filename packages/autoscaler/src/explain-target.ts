import { formatDuration } from "@dormouse/core";
import type { Explanation } from "./explain-decision.ts";
import type { TargetDecision, TargetFigures } from "./target-decision.ts";
import type { TargetObservation } from "./target-observation.ts";
import { targetReasons } from "./target-reasons.ts";

/** Says a decision about a target in sentences that an operator reads, from what it was made from. */
export function explainTarget(decision: TargetDecision, seen: TargetObservation): Explanation {
  const { meaning, next } = targetReasons[decision.reason];
  const measured = decision.figures === undefined ? "" : `${describeFigures(decision.figures, seen)}. `;
  if (decision.kind === "scale") return { words: measured + describeStep(decision, meaning), next };
  const about = decision.about === undefined ? meaning : `${meaning.slice(0, -1)}: ${decision.about}.`;
  return {
    words: measured + about,
    next: decision.nextCheckInMs === undefined ? next : `${next}; in ${inWords(decision.nextCheckInMs)}`,
  };
}

function describeFigures({ average, wanted }: TargetFigures, { policy, desired }: TargetObservation): string {
  const { metric = "the metric", value = 0 } = policy.target ?? {};
  const made = wanted === desired ? "" : `, which makes ${String(wanted)}`;
  return `${metric} is ${inFigures(average)} of ${inFigures(value)} at ${inReplicas(desired)}${made}`;
}

function describeStep({ figures, to }: Extract<TargetDecision, { kind: "scale" }>, meaning: string): string {
  const step = `${meaning.slice(0, -1)}: it goes to ${String(to)}`;
  if (figures === undefined || to === figures.wanted) return `${step}.`;
  const by =
    to === figures.stabilized ? "its stabilisation window holds it back" : "its policies allow no more at once";
  return `${step}, since ${by}.`;
}

function inReplicas(count: number): string {
  return `${String(count)} ${count === 1 ? "replica" : "replicas"}`;
}

function inFigures(value: number): string {
  return String(Number(value.toPrecision(4)));
}

/** Whole seconds above one; nobody reads milliseconds. */
function inWords(ms: number): string {
  return formatDuration(ms > 1_000 ? Math.ceil(ms / 1_000) * 1_000 : Math.ceil(ms));
}
