import { countScores } from "./scorecard-counts.ts";
import type { Scorecard } from "./scorecard.ts";

/**
 * A badge for a README, as an image in Markdown. It counts what was proved against what the scaler declares: a rule
 * that the harness has no hook for was not proved. Rules about what is not declared do not count.
 */
export function scorecardBadge(card: Scorecard): string {
  const label = `dormouse contract ${card.contract}`;
  const { message, color } = judge(card);
  const path = [label, message, color].map(escapePart).join("-");
  return `![${label}: ${message}](https://img.shields.io/badge/${path})`;
}

function judge(card: Scorecard): { readonly message: string; readonly color: string } {
  const counts = countScores(card);
  const asked = counts.passed + counts.failed + counts["no-hook"] + counts["not-judged"];
  if (counts.failed > 0) return { message: `breaks ${counts.failed} of ${asked} rules`, color: "red" };
  if (counts["not-run"] > 0) return { message: "run unfinished", color: "lightgrey" };
  return { message: `${counts.passed} of ${asked} rules`, color: counts.passed === asked ? "brightgreen" : "green" };
}

/** As https://shields.io/badges/static-badge wants it: a dash twice, an underscore twice, a space as one underscore. */
function escapePart(text: string): string {
  return encodeURIComponent(text.replaceAll("-", "--").replaceAll("_", "__").replaceAll(" ", "_"));
}
