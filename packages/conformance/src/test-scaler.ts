import { ConformanceRun } from "./conformance-run.ts";
import { formatScorecard } from "./format-scorecard.ts";
import type { Rule } from "./rule.ts";
import { rules } from "./rules.ts";
import type { RunningTest, ScalerTest } from "./scaler-test.ts";
import { scorecardBadge } from "./scorecard-badge.ts";
import { scorecardNote } from "./scorecard-note.ts";
import { groupOf, type Scorecard, toScorecard } from "./scorecard.ts";

/** The longest timer there is. No wait of the kit is without a limit of its own, and that one says what was waited for. */
const noTimeoutMs = 2_147_483_647;

/**
 * Registers one test for each rule of the contract, under vitest or node:test, and a last one that reports the
 * scorecard. A rule that the plugin's capabilities do not ask for, or that needs a hook which the harness does not have,
 * is reported as skipped with that reason.
 *
 * @example
 * import { describe, it } from "vitest";
 * import { testScaler } from "@dormouse/conformance";
 * import { scaler } from "../src/index.ts";
 *
 * testScaler({ describe, it, plugin: scaler, open: async () => ({ options, ref, close: async () => {} }) });
 */
export function testScaler(test: ScalerTest): void {
  const run = new ConformanceRun(test);
  test.describe(`scaler ${test.plugin.name}`, () => {
    for (const [group, members] of Map.groupBy(rules, ({ id }) => groupOf(id))) {
      test.describe(group, () => {
        for (const rule of members) registerRule(test, run, rule);
      });
    }
    registerScorecard(test, run);
  });
}

function registerRule({ it }: ScalerTest, run: ConformanceRun, rule: Rule): void {
  it(`${rule.id}: ${rule.title}`, { timeout: noTimeoutMs }, async (test) => {
    const verdict = await run.judge(rule);
    if (verdict.kind === "failed") throw verdict.error;
    if (verdict.kind === "left-out") test.skip(verdict.reason);
  });
}

/** The last test. It fails by the author's `onScorecard` alone: what a rule found stands with the rule. */
function registerScorecard({ it, plugin, onScorecard = print }: ScalerTest, run: ConformanceRun): void {
  it("scorecard", { timeout: noTimeoutMs }, async (test) => {
    const { capabilities, verdicts } = run;
    const reconfigure = typeof plugin.reconfigure === "function";
    const card = toScorecard({ scaler: plugin.name, capabilities, reconfigure, rules, verdicts });
    await note(test, card);
    await onScorecard(card);
  });
}

/** Hands the scorecard to reporters as data, where the runner's tests can carry a note. */
async function note(test: RunningTest, card: Scorecard): Promise<void> {
  const body = Buffer.from(JSON.stringify(card)).toString("base64");
  await test.annotate?.(scorecardBadge(card), scorecardNote, { contentType: "application/json", body });
}

function print(card: Scorecard): void {
  // oxlint-disable-next-line no-console -- A report for the person who runs the tests; runners show it beside the test.
  console.log(formatScorecard(card));
}
