import { relative } from "node:path";
import type { Reporter, TestCase } from "vitest/node";
import { countScores } from "../../src/scorecard-counts.ts";
import { scorecardNote } from "../../src/scorecard-note.ts";
import type { Scorecard } from "../../src/scorecard.ts";
import { root } from "./kit-files.ts";
import type { KitReport } from "./scorecard-page.ts";

/** Gathers the scorecards of a run of vitest, by the path of the test file from the workspace's root. */
export class ScorecardCollector implements Reporter {
  readonly #reports = new Map<string, Map<string, KitReport>>();

  onTestRunStart(): void {
    this.#reports.clear();
  }

  onTestCaseResult(test: TestCase): void {
    for (const { type, attachment } of test.annotations()) {
      if (type === scorecardNote) this.#add(test, toCard(attachment?.body));
    }
  }

  /** Of files whose kits all ran to their end and broke no rule, in the order in which the kits stand there. */
  wholeReports(): Map<string, readonly KitReport[]> {
    const all = [...this.#reports].map(([file, reports]) => [file, [...reports.values()]] as const);
    return new Map(all.filter(([, reports]) => reports.every(({ card }) => isWhole(card))));
  }

  #add(test: TestCase, card: Scorecard): void {
    const file = relative(root, test.module.moduleId);
    const reports = this.#reports.get(file) ?? new Map<string, KitReport>();
    // What stands around the kit in the file distinguishes several kits; the last is the kit's own.
    const around = namesAround(test).slice(0, -1);
    const title = [toPackage(file), ...around].join(", ");
    reports.set(test.id, { title: toTitle(file, title, card), card });
    this.#reports.set(file, reports);
  }
}

/** `scaler-process` of `packages/scaler-process/test/conformance.test.ts`. */
function toPackage(file: string): string {
  return file.split("/")[1] ?? file;
}

/** A second file of a package adds what its name has beyond `conformance`. */
function toTitle(file: string, title: string, card: Scorecard): string {
  const variant = /\/conformance-(.+)\.test\.ts$/.exec(file)?.[1]?.replaceAll("-", " ");
  const named = title.endsWith(card.scaler) ? title : `${title} (${card.scaler})`;
  return variant === undefined ? named : `${named}, ${variant}`;
}

/** The names of the groups that a test is in, outermost first. */
function namesAround(test: TestCase): string[] {
  const names: string[] = [];
  for (let { parent } = test; parent.type === "suite"; { parent } = parent) names.unshift(parent.name);
  return names;
}

function isWhole(card: Scorecard): boolean {
  const { failed, "not-judged": notJudged, "not-run": notRun } = countScores(card);
  return failed + notJudged + notRun === 0;
}

function toCard(body: string | Uint8Array | undefined): Scorecard {
  const text =
    typeof body === "string" ? Buffer.from(body, "base64").toString("utf8") : Buffer.from(body ?? []).toString("utf8");
  return JSON.parse(text) as Scorecard;
}
