import type { Rule, RuleFacts } from "./rule.ts";
import { cancelRules } from "./rules/cancel-rules.ts";
import { compareAndSetRules } from "./rules/compare-and-set-rules.ts";
import { errorRules } from "./rules/error-rules.ts";
import { guardRules } from "./rules/guard-rules.ts";
import { lifecycleRules } from "./rules/lifecycle-rules.ts";
import { listRules } from "./rules/list-rules.ts";
import { raceRules } from "./rules/race-rules.ts";
import { reconfigureRules } from "./rules/reconfigure-rules.ts";
import { routingRules } from "./rules/routing-rules.ts";
import { scaleRules } from "./rules/scale-rules.ts";
import { shapeRules } from "./rules/shape-rules.ts";
import { targetRules } from "./rules/target-rules.ts";
import { versionRules } from "./rules/version-rules.ts";
import { watchRules } from "./rules/watch-rules.ts";

/** Every rule, in the order in which they are judged: what others build on comes first. */
export const rules: readonly Rule[] = [
  ...shapeRules,
  ...lifecycleRules,
  ...listRules,
  ...scaleRules,
  ...targetRules,
  ...versionRules,
  ...cancelRules,
  ...errorRules,
  ...raceRules,
  ...compareAndSetRules,
  ...watchRules,
  ...routingRules,
  ...reconfigureRules,
  ...guardRules,
];

/** What every rule proves and why, for documents and reports; in the order in which rules are judged. */
export const ruleFacts: readonly RuleFacts[] = rules.map(toFacts);

function toFacts({ id, title, why, mend, requires, needs, buildsOn }: RuleFacts): RuleFacts {
  return {
    id,
    title,
    why,
    mend,
    ...(requires !== undefined && { requires }),
    ...(needs !== undefined && { needs }),
    ...(buildsOn !== undefined && { buildsOn }),
  };
}
