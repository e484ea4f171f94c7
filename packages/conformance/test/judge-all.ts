import { ConformanceRun, type Verdict } from "../src/conformance-run.ts";
import { rules } from "../src/rules.ts";
import type { ScalerTest } from "../src/scaler-test.ts";

/** What became of each rule, by id. */
export async function judgeAll(test: Omit<ScalerTest, "describe" | "it">): Promise<Map<string, Verdict>> {
  const run = new ConformanceRun(test);
  const verdicts = new Map<string, Verdict>();
  for (const rule of rules) verdicts.set(rule.id, await run.judge(rule));
  return verdicts;
}

/** Ids of the rules with this outcome. */
export function idsOf(verdicts: ReadonlyMap<string, Verdict>, kind: Verdict["kind"]): string[] {
  return [...verdicts].filter(([, verdict]) => verdict.kind === kind).map(([id]) => id);
}
