import { formatDuration, type Milliseconds } from "@dormouse/core";
import type { Decision } from "./decision.ts";
import { type DecisionReason, decisionReasons } from "./decision-reasons.ts";
import type { Observation } from "./observation.ts";

/** A decision in words: why it is so, and what has to happen before it changes. */
export interface Explanation {
  readonly words: string;
  readonly next: string;
}

/** Says a decision in sentences that an operator reads, from the inputs it was made from. */
export function explainDecision(decision: Decision, seen?: Observation): Explanation {
  const { meaning, next } = decisionReasons[decision.reason];
  if (decision.kind === "sleep") return { words: meaning, next };
  const about = aboutOf(decision.reason, decision.about, seen);
  return {
    words: about === undefined ? meaning : `${meaning.slice(0, -1)}: ${about}.`,
    next: decision.nextCheckInMs === undefined ? next : nextInTime(decision.reason, decision.nextCheckInMs),
  };
}

function aboutOf(reason: DecisionReason, about: string | undefined, seen: Observation | undefined): string | undefined {
  const rule = reason.startsWith("rule-") ? seen?.rules.find(({ metric }) => metric === about) : undefined;
  if (rule === undefined) return about;
  if (rule.value === undefined) return `${rule.metric} of source ${rule.source} (${rule.problem ?? "no value"})`;
  const age = rule.ageMs === undefined ? "" : `, ${inWords(rule.ageMs)} old`;
  return `${rule.metric} is ${String(rule.value)}${age}, its threshold ${String(rule.threshold)}`;
}

function nextInTime(reason: DecisionReason, ms: Milliseconds): string {
  const time = inWords(ms);
  if (reason === "waking") return `it has to become ready, or is put to sleep in ${time}`;
  if (reason === "backing-off") return `it is tried again in ${time}`;
  return `it sleeps in ${time} unless it is used before`;
}

/** Whole seconds above one; nobody reads milliseconds. */
function inWords(ms: Milliseconds): string {
  if (!Number.isFinite(ms)) return "no foreseeable time";
  return formatDuration(ms > 1_000 ? Math.ceil(ms / 1_000) * 1_000 : Math.ceil(ms));
}
