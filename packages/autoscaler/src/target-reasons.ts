import type { ReasonFacts } from "./decision-reasons.ts";

/** Every reason that a decision about a target can have, in the order in which decisions look at them. */
export const targetReasons = {
  "one-replica": {
    meaning: "Its scaler can run one replica only.",
    next: "`target` has to go, or another scaler has to run it",
  },
  "in-transition": {
    meaning: "It is being woken or put to sleep, or something else is done to it.",
    next: "that has to end",
  },
  "platform-silent": {
    meaning: "The platform could not be listed, so nothing about it is certain.",
    next: "the platform has to answer",
  },
  unready: { meaning: "None of its replicas is ready.", next: "one has to become ready" },
  "scale-failed": { meaning: "The last change came to nothing a moment ago.", next: "a short wait has to pass" },
  "above-max": { meaning: "It has more replicas than `maxReplicas`.", next: "it is lowered to that" },
  "below-min": { meaning: "It has fewer replicas than `minReplicas`.", next: "it is raised to that" },
  "needs-total": {
    meaning: "A source that sees only what passes a DLX gives totals, and the target takes an average.",
    next: "`target.valueKind` has to be total, or another source be named",
  },
  blind: {
    meaning: "Its traffic does not pass the DLX, and the target's source sees only what does.",
    next: "the target needs another source, or the resource `routing: always`",
  },
  "value-unknown": {
    meaning: "The target's metric has no value, or one that is no number from 0.",
    next: "its source has to give one",
  },
  "value-stale": {
    meaning: "The newest measurement of the target's metric is older than its window.",
    next: "its source has to give a fresher value",
  },
  settling: {
    meaning: "The newest measurement is from before the count was as it is, or from before this autoscaler watched it.",
    next: "a newer one has to come",
  },
  "on-target": {
    meaning: "It is at its target, or within the tolerance.",
    next: "its value has to leave the tolerance",
  },
  "at-limit": {
    meaning: "It has as few or as many replicas as it may have.",
    next: "`minReplicas` or `maxReplicas` has to change, or the load",
  },
  stabilizing: {
    meaning: "What was wanted within the stabilisation window holds it back.",
    next: "the window has to pass",
  },
  cooldown: {
    meaning: "The count changed within `cooldown`, or this autoscaler has not watched it for as long.",
    next: "`cooldown` has to pass",
  },
  flapping: {
    meaning:
      "It has been raised and lowered by turns too often within the window of `flapGuard`, so it is not lowered.",
    next: "the window has to pass without a change of direction",
  },
  disabled: { meaning: "Its policy never moves the count in this direction.", next: "`selectPolicy` has to change" },
  "rate-limited": {
    meaning: "It has changed as much as its `policies` allow within their periods.",
    next: "a period has to pass",
  },
  "above-target": { meaning: "Its replicas have more than the target on average.", next: "it is raised" },
  "below-target": { meaning: "Its replicas have less than the target on average.", next: "it is lowered" },
} as const satisfies Record<string, ReasonFacts>;

/** Code of the reason of a decision about a target; stable. */
export type TargetReason = keyof typeof targetReasons;

/** Reasons of a decision to change the count. */
export type ScaleReason = "above-max" | "below-min" | "above-target" | "below-target";
