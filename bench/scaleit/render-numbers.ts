import { scaleItConfig } from "../../packages/cli/src/config/scaleit-config.ts";
import type { SeedRuns } from "./measure-scaleit.ts";
import { figuresOf, type ScaleItRun } from "./scaleit-run.ts";

const head = [
  "seed and load",
  "mean CPU",
  "changes a minute",
  "above 0.95",
  "plain: mean CPU",
  "changes a minute",
  "above 0.95",
  "with tolerance: mean CPU",
  "changes a minute",
  "above 0.95",
];

/** The figures of all runs as rows of texts, the head first. */
export function toRows(all: readonly SeedRuns[]): readonly (readonly string[])[] {
  const rows = all.map(({ seed, dormouse, plain, tolerant }) => [
    `${String(seed)}, ${dormouse.shape}`,
    ...[dormouse, plain, tolerant].flatMap(cellsOf),
  ]);
  return [head, ...rows];
}

function cellsOf(run: ScaleItRun): readonly string[] {
  const { meanCpu, changesPerMinute, overloaded } = figuresOf(run);
  return [meanCpu.toFixed(3), changesPerMinute.toFixed(2), `${(100 * overloaded).toFixed(1)} %`];
}

/** `docs/scaleit.md` with its table as it was measured, and the configuration that it was measured with. @throws where the page has no place for them */
export function fillInPage(page: string, all: readonly SeedRuns[]): string {
  const numbers = fillIn(page, "numbers", markdownTable(toRows(all)));
  return fillIn(numbers, "configuration", `\`\`\`yaml\n# dormouse.yaml\n${scaleItConfig}\`\`\``);
}

function fillIn(page: string, part: string, text: string): string {
  const begin = `<!-- ${part}: written by npx pnpm@12 bench:scaleit -->`;
  const end = `<!-- end of ${part} -->`;
  const [before = "", rest] = page.split(begin);
  const after = rest?.split(end)[1];
  if (after === undefined) throw new Error(`the page has no place for its ${part}`);
  return `${before}${begin}\n\n${text}\n\n${end}${after}`;
}

function markdownTable([first = [], ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(first), line(first.map((_, index) => (index === 0 ? "---" : "---:"))), ...rows.map(line)].join("\n");
}
