import type { Milliseconds, TargetGoal } from "@dormouse/core";
import { leastReplicas, mostReplicas } from "./rate-limit.ts";
import { keepCount, type TargetDecision, type TargetFigures } from "./target-decision.ts";
import {
  countReversals,
  seeCount,
  seeValue,
  seeWanted,
  startTargetHistory,
  type TargetHistory,
} from "./target-history.ts";
import type { TargetObservation, TargetPolicy, TargetSample } from "./target-observation.ts";
import { wantedReplicas } from "./wanted-replicas.ts";

/** A decision, and what is remembered for the next one. */
export interface TargetResult {
  readonly decision: TargetDecision;
  /** Undefined: there is nothing to remember, the next one begins anew. */
  readonly history: TargetHistory | undefined;
}

/**
 * Whether a target changes the count of an awake resource now. Pure and total. Anything unknown keeps, a count of 0 is
 * never touched, and never is one made. Whoever carries a decision to scale out tells the history by `recordScale`.
 *
 * @param seen of a resource whose policy has a `target`
 * @param known undefined: the resource is new here, or was asleep
 * @param now monotonic ms, as in the history
 * @returns undefined for a resource without a target, or with none of its replicas wanted
 */
export function decideTarget(
  seen: TargetObservation,
  known: TargetHistory | undefined,
  now: Milliseconds,
): TargetResult | undefined {
  const goal = seen.policy.target;
  if (goal === undefined || !(seen.desired > 0)) return undefined;
  const history = known === undefined ? startTargetHistory(seen.desired, now) : seeCount(known, seen.desired, now);
  const obstacle = decideScalable(seen) ?? decideBounds(seen, history, now) ?? decideSource(seen, goal);
  if (obstacle !== undefined) return { decision: obstacle, history };
  const unusable = decideSample(seen.sample, goal);
  if (unusable !== undefined) return { decision: unusable, history };
  if (isSettling(seen.sample, history, now)) {
    return { decision: keepCount("settling"), history: seeValue(history, now) };
  }
  return decideCount(seen, goal, history, now);
}

function decideScalable(seen: TargetObservation): TargetDecision | undefined {
  if (seen.replicas === "one") return keepCount("one-replica");
  if (seen.operation !== undefined) return keepCount("in-transition", { about: seen.operation });
  if (seen.inTransition === true) return keepCount("in-transition");
  if (seen.platformProblem !== undefined) return keepCount("platform-silent", { about: seen.platformProblem });
  if (!(seen.ready > 0)) return keepCount("unready");
  return (seen.retryInMs ?? 0) > 0 ? keepCount("scale-failed", { nextCheckInMs: seen.retryInMs ?? 0 }) : undefined;
}

/** What is out of bounds is brought back whatever the metric says; not faster than `cooldown` where somebody undoes it. */
function decideBounds(
  { desired, policy }: TargetObservation,
  { changedAt, since }: TargetHistory,
  now: Milliseconds,
): TargetDecision | undefined {
  const { minReplicas, maxReplicas, cooldown } = policy;
  if (desired >= minReplicas && desired <= maxReplicas) return undefined;
  const leftMs = changedAt > since ? changedAt + cooldown - now : 0;
  if (leftMs > 0) return keepCount("cooldown", { nextCheckInMs: leftMs });
  if (desired > maxReplicas) return { kind: "scale", reason: "above-max", from: desired, to: maxReplicas };
  return { kind: "scale", reason: "below-min", from: desired, to: minReplicas };
}

function decideSource({ sample, routing }: TargetObservation, goal: TargetGoal): TargetDecision | undefined {
  if (sample.dlxOnly !== true) return undefined;
  if (goal.valueKind !== "total") return keepCount("needs-total", { about: sample.source });
  return routing === "direct" ? keepCount("blind", { about: sample.source }) : undefined;
}

function decideSample({ value, ageMs, problem }: TargetSample, goal: TargetGoal): TargetDecision | undefined {
  if (value === undefined) return keepCount("value-unknown", { about: problem ?? "no value" });
  if (!(Number.isFinite(value) && value >= 0)) return keepCount("value-unknown", { about: String(value) });
  const isStale = ageMs !== undefined && !(ageMs >= 0 && ageMs <= goal.window);
  return isStale ? keepCount("value-stale") : undefined;
}

/** Measured in the very moment of a change is measured before it, unless that moment is now. */
function isSettling({ ageMs }: TargetSample, history: TargetHistory, now: Milliseconds): boolean {
  return ageMs !== undefined && ageMs > 0 && ageMs >= now - history.changedAt;
}

function decideCount(seen: TargetObservation, goal: TargetGoal, known: TargetHistory, now: Milliseconds): TargetResult {
  const { policy, desired, ready } = seen;
  const { average, wanted: exact } = wantedReplicas({ value: seen.sample.value ?? 0, desired, ready }, goal);
  const wanted = clamp(exact, policy);
  const history = seeWanted(known, wanted, policy, now);
  const figures = { average, wanted, stabilized: stabilize(wanted, history) };
  if (figures.stabilized === desired) {
    return { decision: decideSame(exact, figures, history, policy, now), history };
  }
  const held = decideHeld(figures, history, policy, now);
  return { decision: held ?? decideStep(figures, history, policy, now), history };
}

function clamp(replicas: number, { minReplicas, maxReplicas }: TargetPolicy): number {
  return Math.min(maxReplicas, Math.max(1, minReplicas, replicas));
}

/** No higher than the least that was wanted in the upward window, no lower than the most in the downward one. */
function stabilize(wanted: number, { desired, lowest, highest }: TargetHistory): number {
  const least = Math.min(wanted, lowest[0]?.replicas ?? wanted);
  const most = Math.max(wanted, highest[0]?.replicas ?? wanted);
  return Math.min(most, Math.max(least, desired));
}

function decideSame(
  exact: number,
  figures: TargetFigures,
  history: TargetHistory,
  policy: TargetPolicy,
  now: Milliseconds,
): TargetDecision {
  const { desired } = history;
  if (figures.wanted === desired) return keepCount(exact === desired ? "on-target" : "at-limit", { figures });
  const [binding, windowMs] =
    figures.wanted > desired
      ? [history.lowest[0], policy.scaleUp.stabilizationWindow]
      : [history.highest[0], policy.scaleDown.stabilizationWindow];
  const leftMs = Math.max(1, (binding?.at ?? now) + windowMs - now);
  return keepCount("stabilizing", { figures, nextCheckInMs: leftMs });
}

/** What holds any change of this direction up, however small. */
function decideHeld(
  figures: TargetFigures,
  history: TargetHistory,
  { cooldown, flapGuard }: TargetPolicy,
  now: Milliseconds,
): TargetDecision | undefined {
  const leftMs = history.changedAt + cooldown - now;
  if (leftMs > 0) return keepCount("cooldown", { figures, nextCheckInMs: leftMs });
  const isUp = figures.stabilized > history.desired;
  if (isUp || flapGuard.reversals === 0) return undefined;
  if (countReversals(history, flapGuard.window, now) < flapGuard.reversals) return undefined;
  const freeing = history.reversals.at(-flapGuard.reversals) ?? now;
  return keepCount("flapping", { figures, nextCheckInMs: Math.max(1, freeing + flapGuard.window - now) });
}

function decideStep(
  figures: TargetFigures,
  history: TargetHistory,
  policy: TargetPolicy,
  now: Milliseconds,
): TargetDecision {
  const { desired: from } = history;
  const isUp = figures.stabilized > from;
  const limit = isUp ? mostReplicas(history, policy.scaleUp, now) : leastReplicas(history, policy.scaleDown, now);
  if (limit === undefined) return keepCount("disabled", { figures });
  const to = isUp ? Math.min(figures.stabilized, limit) : Math.max(figures.stabilized, limit);
  if (to === from) return keepCount("rate-limited", { figures });
  return { kind: "scale", reason: isUp ? "above-target" : "below-target", from, to, figures };
}
