import { readFileSync, writeFileSync } from "node:fs";
import type { BenchRow } from "../report/bench-row.ts";

const page = new URL("../../docs/kubernetes-scale.md", import.meta.url);

const begin = "<!-- numbers: written by npx pnpm@12 bench:kubernetes --write -->";
const end = "<!-- end of numbers -->";

/** Puts a run's table between the page's markers. */
export function writeScalePage(machine: string, rows: readonly BenchRow[]): void {
  const text = readFileSync(page, "utf8");
  const [before, rest] = text.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error(`${page.pathname} has lost its markers`);
  writeFileSync(page, `${before}${begin}\n\n${machine}.\n\n${render(rows)}\n\n${end}${after}`);
}

function render(rows: readonly BenchRow[]): string {
  return ["| what | measured | budget |", "|---|---|---|", ...rows.map(toLine)].join("\n");
}

function toLine(row: BenchRow): string {
  switch (row.kind) {
    case "heading":
      return `| **${row.text}** | | |`;
    case "figures":
      return `| ${row.what} | ${row.measured} | |`;
    case "budget":
      return `| ${row.what} | ${row.measured} | ${row.budget}${row.verdict === "MISSED" ? " (missed)" : ""} |`;
  }
}
