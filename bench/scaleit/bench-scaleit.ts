// Holds the simulated application in virtual time, prints what came of it and writes it into docs/scaleit.md and its plot.
// Usage: npx pnpm@12 bench:scaleit
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { plainTable } from "../../e2e/harness/plain-table.ts";
import { measuredSeeds, measureSeed, type SeedRuns } from "./measure-scaleit.ts";
import { drawDocs } from "./draw-docs.ts";
import { fillInPage, toRows } from "./render-numbers.ts";

const docs = join(import.meta.dirname, "../../docs");
const all: SeedRuns[] = [];
for (const seed of measuredSeeds) {
  process.stdout.write(`seed ${String(seed)}: 30 simulated minutes\n`);
  all.push(await measureSeed(seed));
}
const [head = [], ...rows] = toRows(all);
process.stdout.write(`${plainTable(head, rows, "right")}\n`);
const page = join(docs, "scaleit.md");
writeFileSync(page, fillInPage(readFileSync(page, "utf8"), all));
writeFileSync(join(docs, "scaleit.svg"), await drawDocs(all));
process.stdout.write("written: docs/scaleit.md, docs/scaleit.svg\n");
