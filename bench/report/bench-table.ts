import Table from "cli-table3";
import type { BenchRow } from "./bench-row.ts";

/** Width of the column of figures, in characters. */
const longestFigure = 72;

/** All rows as one table. */
export function benchTable(rows: readonly BenchRow[]): string {
  const table = new Table({
    head: ["what", "measured", "budget", "verdict"],
    style: { head: [], border: [] },
    wordWrap: true,
    colWidths: [null, longestFigure],
    // No lines between rows; an empty one sets off a heading.
    chars: { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" },
  });
  for (const row of rows) table.push(cellsOf(row));
  return table.toString();
}

function cellsOf(row: BenchRow): [string, string, string, string] {
  switch (row.kind) {
    case "heading":
      return [`\n${row.text}`, "", "", ""];
    case "figures":
      return [`  ${row.what}`, row.measured, "", ""];
    case "budget":
      return [`  ${row.what}`, row.measured, row.budget, row.verdict];
  }
}

/** One sentence that names every budget that was missed. */
export function conclusion(rows: readonly BenchRow[]): string {
  const budgets = rows.filter((row) => row.kind === "budget");
  const missed = budgets.filter(({ verdict }) => verdict === "MISSED").map(({ what }) => what);
  const unmeasured = budgets.filter(({ verdict }) => verdict === "not measured").map(({ what }) => what);
  const measured = `${budgets.length - unmeasured.length} budgets measured`;
  const verdict = missed.length === 0 ? "all within" : `MISSED: ${missed.join("; ")}`;
  return [measured, verdict, ...(unmeasured.length === 0 ? [] : [`not measured: ${unmeasured.join("; ")}`])].join("; ");
}
