import type { Milliseconds } from "@dormouse/core";
import { decideInUse } from "./decide-in-use.ts";
import { decideRule } from "./decide-rule.ts";
import { type Decision, keep, sleep } from "./decision.ts";
import type { KeepReason } from "./decision-reasons.ts";
import type { Observation } from "./observation.ts";

/**
 * Whether a resource may be put to sleep now. Pure and total: any observation gives a decision with a reason, and
 * anything unknown keeps. Where only time is missing, the reason is the condition that takes longest.
 */
export function decideSleep(seen: Observation): Decision {
  const obstacle = decideManageable(seen) ?? decideInUse(seen) ?? decideNeeded(seen);
  if (obstacle !== undefined) return obstacle;
  return seen.ready > 0 ? decideIdle(seen) : decideUnready(seen);
}

function decideManageable(seen: Observation): Decision | undefined {
  if (!seen.policy.enabled) return keep("not-enabled");
  if (!(seen.desired > 0)) return keep(seen.state === "sleeping" ? "sleeping" : "asleep");
  if (seen.policy.minReplicas !== 0) return keep("min-replicas");
  if (seen.operation !== undefined) return keep("busy", { about: seen.operation });
  if (seen.platformProblem !== undefined) return keep("platform-unknown", { about: seen.platformProblem });
  return seen.guarded ? undefined : keep("unguarded");
}

function decideNeeded(seen: Observation): Decision | undefined {
  const [user] = seen.awakeUsers;
  return user === undefined ? undefined : keep("needed", { about: user });
}

/** Nobody can use what has no ready replica; rules that say nothing of it therefore do not veto, rules that say "busy" do. */
function decideUnready(seen: Observation): Decision {
  if (seen.state !== "waking" && seen.state !== "failed") return keep("waking");
  const leftMs = remaining(seen.policy.wakeTimeout, seen.unreadyForMs);
  if (leftMs > 0) return keep("waking", { nextCheckInMs: leftMs });
  const retry = longestOf([["backing-off", seen.retryInMs ?? 0]]);
  if (retry !== undefined) return retry;
  const busy = seen.rules.map(decideRule).find((found) => found?.kind === "keep" && found.reason === "rule-busy");
  return busy ?? sleep(seen.state === "failed" ? "failed" : "never-ready");
}

function decideIdle(seen: Observation): Decision {
  if (seen.state !== "awake") return keep("waking");
  return decideEvidence(seen) ?? decideTimes(seen) ?? sleep("idle");
}

function decideEvidence(seen: Observation): Decision | undefined {
  for (const rule of seen.rules) {
    const found = decideRule(rule);
    if (found !== undefined) return found;
  }
  if (seen.rules.length < seen.policy.idleRules.length) return keep("rule-unknown");
  if (!seen.routes) return undefined;
  if (seen.routing === "always") return seen.divertedForMs === undefined ? keep("not-diverted") : undefined;
  return seen.rules.some((rule) => !rule.dlxOnly) ? undefined : keep("no-evidence");
}

/** The time-based condition that takes longest; undefined: all are over. */
function decideTimes(seen: Observation): Decision | undefined {
  const { policy } = seen;
  const windowMs = Math.max(policy.idleAfter, ...policy.idleRules.map((rule) => rule.window));
  return longestOf([
    ["observing", remaining(windowMs, seen.observedForMs)],
    ["recent-activity", remaining(policy.idleAfter, idleForMs(seen))],
    ["min-awake", remaining(policy.minAwake, seen.awakeForMs)],
    ["backing-off", seen.retryInMs ?? 0],
  ]);
}

/** The longest wait, the first of equals; undefined where none is left. */
function longestOf(waits: readonly (readonly [KeepReason, Milliseconds])[]): Decision | undefined {
  let longest: readonly [KeepReason, Milliseconds] | undefined;
  for (const wait of waits) if (wait[1] > (longest?.[1] ?? 0)) longest = wait;
  return longest === undefined ? undefined : keep(longest[0], { nextCheckInMs: longest[1] });
}

/** The youngest activity on any DLX. What came before the divert was seen by none of them. */
function idleForMs(seen: Observation): Milliseconds {
  const ages = (seen.dlxs ?? []).map((dlx) => (dlx.known ? dlx.idleForMs : 0));
  const diverted = seen.routes && seen.routing === "always" ? [seen.divertedForMs ?? 0] : [];
  return Math.min(...ages, ...diverted);
}

/** How much of a time is left; all of it where the age is no sensible number. */
function remaining(neededMs: Milliseconds, ageMs: Milliseconds): Milliseconds {
  if (!Number.isFinite(neededMs)) return Infinity;
  return Number.isFinite(ageMs) && ageMs >= 0 ? Math.max(0, neededMs - ageMs) : Math.max(1, neededMs);
}
