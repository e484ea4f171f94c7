import { fileURLToPath } from "node:url";
import type { RequestCount } from "../test/numbers/measure-requests.ts";

/** Where the table stands. */
export const numbersFile: string = fileURLToPath(new URL("../../../docs/azure.md", import.meta.url));

/** The document with the table of these counts in its place. */
export function fillIn(current: string, counts: readonly RequestCount[]): string {
  const place = /(<!-- generated: numbers -->\n)[^]*?(\n<!-- end -->)/;
  if (!place.test(current)) throw new Error("docs/azure.md has no place for the numbers");
  return current.replace(place, (_match, start: string, end: string) => `${start}\n${toTable(counts)}\n${end}`);
}

function toTable(counts: readonly RequestCount[]): string {
  const head = ["what", "reads", "writes", "most in a second", "refused by Azure"];
  const rows = counts.map(({ what, reads, writes, mostPerSecond, refused }) => [
    what,
    ...[reads, writes, mostPerSecond, refused].map((count) => count.toLocaleString("en")),
  ]);
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [line(head), `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...rows.map(line)].join("\n");
}
