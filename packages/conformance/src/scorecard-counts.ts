import type { GroupScore, RuleScore, Scorecard } from "./scorecard.ts";

/** How many rules came out in which way. */
export type ScoreCounts = Readonly<Record<RuleScore["outcome"], number>>;

/** Counts the rules of a whole scorecard, or of one group. */
export function countScores(scored: Scorecard | GroupScore): ScoreCounts {
  const rules = "groups" in scored ? scored.groups.flatMap((group) => group.rules) : scored.rules;
  const count = (outcome: RuleScore["outcome"]): number => rules.filter((rule) => rule.outcome === outcome).length;
  return {
    passed: count("passed"),
    failed: count("failed"),
    "not-declared": count("not-declared"),
    "no-hook": count("no-hook"),
    "not-judged": count("not-judged"),
    "not-run": count("not-run"),
  };
}
