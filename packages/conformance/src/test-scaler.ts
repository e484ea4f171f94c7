import { ConformanceRun } from "./conformance-run.ts";
import type { Rule } from "./rule.ts";
import { rules } from "./rules.ts";
import type { ScalerTest } from "./scaler-test.ts";

/** The longest timer there is. No wait of the kit is without a limit of its own, and that one says what was waited for. */
const noTimeoutMs = 2_147_483_647;

/**
 * Registers one test for each rule of the contract, under vitest or node:test. A rule that the plugin's capabilities do
 * not ask for, or that needs a hook which the harness does not have, is reported as skipped with that reason.
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
    for (const [group, members] of byGroup(rules)) {
      test.describe(group, () => {
        for (const rule of members) registerRule(test, run, rule);
      });
    }
  });
}

function registerRule({ it }: ScalerTest, run: ConformanceRun, rule: Rule): void {
  it(`${rule.id}: ${rule.title}`, { timeout: noTimeoutMs }, async (test) => {
    const verdict = await run.judge(rule);
    if (verdict.kind === "failed") throw verdict.error;
    if (verdict.kind === "left-out") test.skip(verdict.reason);
  });
}

function byGroup(all: readonly Rule[]): Map<string, Rule[]> {
  return Map.groupBy(all, ({ id }) => id.slice(0, id.indexOf("/")));
}
