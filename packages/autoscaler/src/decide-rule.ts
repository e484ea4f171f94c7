import { type Decision, keep } from "./decision.ts";
import type { RuleObservation } from "./observation.ts";

/**
 * Whether one rule speaks against a sleep; undefined: it is idle. A value that is missing or no finite number is
 * unknown. A known age above half the window is stale; without an age the source vouches for its value.
 */
export function decideRule(rule: RuleObservation): Decision | undefined {
  const about = rule.metric;
  if (rule.value === undefined || !Number.isFinite(rule.value)) return keep("rule-unknown", { about });
  if (!Number.isFinite(rule.threshold)) return keep("rule-unknown", { about });
  if (rule.ageMs !== undefined && !(rule.ageMs >= 0 && rule.ageMs <= rule.windowMs / 2))
    return keep("rule-stale", { about });
  return rule.value <= rule.threshold ? undefined : keep("rule-busy", { about });
}
