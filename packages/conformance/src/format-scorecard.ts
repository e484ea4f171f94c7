import { scorecardBadge } from "./scorecard-badge.ts";
import { countScores, type ScoreCounts } from "./scorecard-counts.ts";
import type { RuleScore, Scorecard } from "./scorecard.ts";

/** A scorecard as text of several lines, for people: counts by group, then why rules failed or were left out, then the badge. */
export function formatScorecard(card: Scorecard): string {
  const rows = card.groups.map((group) => [group.name, ...toCells(countScores(group))]);
  return [
    `scorecard of ${card.scaler}: contract ${card.contract}, kit ${card.kit}`,
    `  declares ${describeDeclared(card)}`,
    ...toColumns([["group", "passed", "failed", "left out"], ...rows, ["all", ...toCells(countScores(card))]]),
    ...reasonsOf(card).map(([reason, ids]) => `  ${reason}\n    ${ids.join(", ")}`),
    `  badge: ${scorecardBadge(card)}`,
  ].join("\n");
}

/** What a scaler can do, in words: `one replica, watch, compareAndSet; settles within 0 ms`. */
export function describeDeclared({ capabilities, reconfigure }: Scorecard): string {
  if (capabilities === undefined) return "nothing that could be seen: no instance was opened";
  const { replicas, watch, routing, compareAndSet, settleWithinMs } = capabilities;
  const abilities = Object.entries({ watch, routing, compareAndSet, reconfigure });
  const declared = abilities.filter(([, has]) => has).map(([name]) => name);
  return `${[`${replicas} ${replicas === "one" ? "replica" : "replicas"}`, ...declared].join(", ")}; settles within ${settleWithinMs} ms`;
}

/** Every reason for which rules failed, were left out or did not run, with the ids of those rules. */
export function reasonsOf(card: Scorecard): [reason: string, ids: readonly string[]][] {
  const open = card.groups.flatMap(({ rules }) => rules).filter(({ outcome }) => outcome !== "passed");
  return [...Map.groupBy(open, toReason)].map(([reason, rules]) => [reason, rules.map(({ id }) => id)]);
}

function toReason({ outcome, reason }: RuleScore): string {
  if (outcome === "not-run") return "not run";
  return outcome === "failed" ? `failed: ${reason ?? ""}` : (reason ?? outcome);
}

function toCells(counts: ScoreCounts): string[] {
  const leftOut = counts["not-declared"] + counts["no-hook"] + counts["not-judged"] + counts["not-run"];
  return [counts.passed, counts.failed, leftOut].map(String);
}

/** Names to the left, numbers to the right. */
function toColumns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => {
    const cells = row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
    );
    return `  ${cells.join("  ")}`;
  });
}
