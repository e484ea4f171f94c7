import { stripVTControlCharacters } from "node:util";
import Table from "cli-table3";

/** One column: what it is called, and how much it matters where the terminal is narrow. */
export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
  /** Columns with the highest number are left out first; 0 stays, cut if need be. */
  readonly dispensable: number;
}

/** Blanks between two columns. */
const gap = 2;
const shortestCut = 8;

/**
 * A table without lines, no wider than so many characters; Infinity: as wide as it needs to be. Cells may be coloured.
 * Columns that do not fit are left out; the first one is cut at the end.
 */
export function renderTable(columns: readonly Column[], rows: readonly (readonly string[])[], width: number): string {
  const widths = columns.map((column, index) =>
    Math.max(...[column.title, ...rows.map((row) => row[index] ?? "")].map(lengthOf)),
  );
  const shown = chooseColumns(columns, widths, width);
  const first = shown[0] ?? 0;
  const rest = sum(shown.slice(1).map((index) => (widths[index] ?? 0) + gap));
  const cut = Math.min(widths[first] ?? 0, Math.max(shortestCut, width - rest));
  const table = new Table({
    head: shown.map((index) => columns[index]?.title ?? ""),
    colAligns: shown.map((index) => columns[index]?.align ?? "left"),
    colWidths: shown.map((index) => (index === first ? cut : (widths[index] ?? 0)) + gap),
    chars: noLines,
    style: { head: [], border: [], "padding-left": 0, "padding-right": gap },
  });
  for (const row of rows) table.push(shown.map((index) => row[index] ?? ""));
  return table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}

const noLines = Object.fromEntries(
  [
    "top",
    "top-mid",
    "top-left",
    "top-right",
    "bottom",
    "bottom-mid",
    "bottom-left",
    "bottom-right",
    "left",
    "left-mid",
    "mid",
    "mid-mid",
    "right",
    "right-mid",
    "middle",
  ].map((name) => [name, ""]),
);

/** Indexes of the columns that fit, in order. */
function chooseColumns(columns: readonly Column[], widths: readonly number[], width: number): number[] {
  let shown = columns.map((_, index) => index);
  const needed = (): number => sum(shown.map((index) => (widths[index] ?? 0) + gap)) - gap;
  while (needed() > width) {
    const worst = shown.toSorted(
      (one, other) => dispensable(columns, other) - dispensable(columns, one) || other - one,
    )[0];
    if (worst === undefined || dispensable(columns, worst) === 0) break;
    shown = shown.filter((index) => index !== worst);
  }
  return shown;
}

function dispensable(columns: readonly Column[], index: number): number {
  return columns[index]?.dispensable ?? 0;
}

function lengthOf(text: string): number {
  return stripVTControlCharacters(text).length;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
