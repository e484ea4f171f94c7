import { mutants } from "./mutants.ts";

const place = /(<!-- generated: mutants -->\n)[^]*?(<!-- end -->)/;

/** The page about the protocol with its table of mutants as the code has them. */
export function fillInMutants(page: string): string {
  if (!place.test(page)) throw new Error("there is no place for the table of mutants");
  return page.replace(place, (_match, start: string, end: string) => `${start}\n${toTable()}\n\n${end}`);
}

function toTable(): string {
  const lines = [["hole", "what is put back"], ...mutants.map(({ hole, title }) => [hole, title])];
  const widths = [0, 1].map((column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const [head = "", ...rest] = lines.map(
    (line) => `| ${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`,
  );
  return [head, `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...rest].join("\n");
}
