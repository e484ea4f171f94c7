import { existsSync, readFileSync } from "node:fs";
import { findKitFiles, pageFile } from "./kit-files.ts";
import { ScorecardCollector } from "./scorecard-collector.ts";
import { readSections, toFileSection } from "./scorecard-page.ts";

/** Fails a run of vitest in which a kit reports something else than its page says. */
export class ScorecardCheck extends ScorecardCollector {
  onTestRunEnd(): void {
    const sections = readSections(existsSync(pageFile) ? readFileSync(pageFile, "utf8") : "");
    const ours = new Set(findKitFiles());
    const reports = [...this.wholeReports()].filter(([file]) => ours.has(file));
    const stale = reports.filter(([file, each]) => sections.get(file) !== toFileSection(file, each));
    if (stale.length === 0) return;
    process.stderr.write(
      `docs/scorecards.md says something else than these kits: ${stale.map(([file]) => file).join(", ")}.\n` +
        "Run `npx pnpm@12 scorecards` and look at what changed.\n",
    );
    process.exitCode = 1;
  }
}
