import { decisionReasons, type ReasonFacts } from "../src/decision-reasons.ts";
import { sleepEndReasons } from "../src/sleep-end.ts";
import { targetReasons } from "../src/target-reasons.ts";

/** The README with its tables of reasons as the code has them. */
export function fillInReasons(readme: string): string {
  const tables = { decisions: decisionReasons, ends: sleepEndReasons, targets: targetReasons };
  return Object.entries(tables).reduce((text, [name, reasons]) => fillIn(text, name, toTable(reasons)), readme);
}

function fillIn(text: string, name: string, table: string): string {
  const place = new RegExp(`(<!-- generated: ${name} -->\n)[^]*?(\n<!-- end -->)`);
  if (!place.test(text)) throw new Error(`there is no place for the table "${name}"`);
  return text.replace(place, (_match, start: string, end: string) => `${start}\n${table}\n${end}`);
}

function toTable(reasons: Readonly<Record<string, ReasonFacts>>): string {
  const rows = Object.entries(reasons).map(([reason, { meaning, next }]) => [`\`${reason}\``, meaning, next]);
  const lines = [["reason", "what it says", "what has to happen"], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const [head = "", ...rest] = lines.map(
    (line) => `| ${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`,
  );
  return [head, `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...rest].join("\n");
}
