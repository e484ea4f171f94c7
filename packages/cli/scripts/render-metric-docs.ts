import { readFile } from "node:fs/promises";
import { metricTable } from "../src/telemetry/metric-table.ts";

const begin = "<!-- metrics: written by packages/cli/scripts/write-cli-docs.ts -->";
const end = "<!-- end of metrics -->";

/** `docs/observability.md` with its table of metrics as the code has it. */
export async function renderMetricDocs(file: URL): Promise<string> {
  const text = await readFile(file, "utf8");
  const [before = "", rest] = text.split(begin);
  const after = rest?.split(end)[1];
  if (after === undefined) throw new Error(`${file.pathname} has no place for the table of metrics`);
  return `${before}${begin}\n\n${renderTable()}\n\n${end}${after}`;
}

function renderTable(): string {
  const rows = metricTable.map(
    ({ name, type, labels, meaning }) =>
      `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(", ") || "–"} | ${meaning} |`,
  );
  return ["| metric | type | labels | meaning |", "|---|---|---|---|", ...rows].join("\n");
}
