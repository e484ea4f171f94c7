import { readFileSync } from "node:fs";
import cli from "@dormouse/cli/package.json" with { type: "json" };
import { toChartSchema } from "./chart-schema.ts";
import { readValueTree } from "./value-tree.ts";
import { toValuesTable } from "./values-table.ts";

/** A file of the chart that follows from others, as a whole or in a marked part. */
export interface ChartFile {
  /** Its name in the chart's folder. */
  readonly name: string;
  readonly url: URL;
  /** What the file should contain, given what it contains now. */
  readonly render: (current: string) => string;
}

const folder = new URL("../dormouse/", import.meta.url);

const begin = "<!-- values: written by charts/scripts/write-chart-files.ts -->";
const end = "<!-- end of values -->";

/** Everything that `pnpm chart` writes; a test holds that it is up to date. */
export const chartFiles: readonly ChartFile[] = [
  chartFile("values.schema.json", () => `${JSON.stringify(toChartSchema(valueTree()), undefined, 2)}\n`),
  chartFile("README.md", (current) => withTable(current, toValuesTable(valueTree()))),
  chartFile("Chart.yaml", (current) => current.replace(/^appVersion: .*$/m, `appVersion: "${cli.version}"`)),
];

function chartFile(name: string, render: ChartFile["render"]): ChartFile {
  return { name, url: new URL(name, folder), render };
}

function valueTree(): ReturnType<typeof readValueTree> {
  return readValueTree(readFileSync(new URL("values.yaml", folder), "utf8"));
}

function withTable(current: string, table: string): string {
  const [before = "", rest] = current.split(begin);
  const after = rest?.split(end)[1];
  if (after === undefined) throw new Error("README.md has no place for the table of values");
  return `${before}${begin}\n\n${table}\n\n${end}${after}`;
}
