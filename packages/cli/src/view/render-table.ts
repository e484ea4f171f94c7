import { stripVTControlCharacters } from "node:util";

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
  const widths = columns.map(({ title }, index) =>
    rows.reduce((widest, row) => Math.max(widest, lengthOf(row[index] ?? "")), title.length),
  );
  const shown = chooseColumns(columns, widths, width);
  const first = shown[0] ?? 0;
  const rest = sum(shown.slice(1).map((index) => (widths[index] ?? 0) + gap));
  const cut = Math.min(widths[first] ?? 0, Math.max(shortestCut, width - rest));
  const layout = shown.map((index) => ({
    index,
    width: index === first ? cut : (widths[index] ?? 0),
    align: columns[index]?.align ?? "left",
  }));
  const head = columns.map(({ title }) => title);
  return [head, ...rows].map((row) => renderRow(row, layout)).join("\n");
}

interface Place {
  /** Of the cell in its row. */
  readonly index: number;
  readonly width: number;
  readonly align: "left" | "right";
}

function renderRow(row: readonly string[], layout: readonly Place[]): string {
  const cells = layout.map(({ index, width, align }) => fit(row[index] ?? "", width, align));
  return cells.join(" ".repeat(gap)).trimEnd();
}

/** Only cells without colours are ever too long: those of the first column. */
function fit(text: string, width: number, align: Place["align"]): string {
  const missing = width - lengthOf(text);
  if (missing < 0) return `${text.slice(0, width - 1)}…`;
  const blanks = " ".repeat(missing);
  return align === "left" ? text + blanks : blanks + text;
}

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
