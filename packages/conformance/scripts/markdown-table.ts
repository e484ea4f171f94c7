/** A table in Markdown, padded as the formatter pads. */
export function toTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  const toLine = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const ruler = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [toLine(head), ruler, ...rows.map(toLine)].join("\n");
}
