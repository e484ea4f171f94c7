// Runs the kits of all our scalers and writes docs/scorecards.md. What did not run to its end here stays as it stands there.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { startVitest } from "vitest/node";
import { findKitFiles, pageFile, root } from "./scorecards/kit-files.ts";
import { ScorecardCollector } from "./scorecards/scorecard-collector.ts";
import { readSections, renderPage, toEmptySection, toFileSection } from "./scorecards/scorecard-page.ts";

const chosen = process.argv.slice(2);
const files = findKitFiles();
const collector = new ScorecardCollector();
const filters = chosen.length === 0 ? files : files.filter((file) => chosen.some((part) => file.includes(part)));
const vitest = await startVitest(filters, { root, watch: false, reporters: ["dot", collector] });
const ran = collector.wholeReports();
await vitest.close();

const before = readSections(existsSync(pageFile) ? readFileSync(pageFile, "utf8") : "");
const sections = new Map(
  files.map((file) => {
    const reports = ran.get(file);
    return [file, reports === undefined ? (before.get(file) ?? toEmptySection(file)) : toFileSection(file, reports)];
  }),
);
writeFileSync(pageFile, renderPage(sections));

for (const file of filters.filter((each) => !ran.has(each))) {
  const what = before.has(file) ? "left as it was" : "without a scorecard";
  process.stdout.write(`${what}: ${file} did not run here, or broke a rule\n`);
}
