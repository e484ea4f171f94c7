import { readFileSync } from "node:fs";
import { defaultPolicy, parsePolicy } from "@dormouse/core";
import { describe, expect, it } from "vitest";
import { decideTarget, recordScale, type TargetHistory } from "../src/index.ts";

const guide = readFileSync(new URL("../../../docs/scaling.md", import.meta.url), "utf8");
const every = 5_000;
const lagMs = 15_000;

/** The counts that a policy leads to under the guide's load: 8 for two minutes, then 12 for thirteen more. */
function countsUnder(policy: object, tellsAge: boolean): number[] {
  const parsed = parsePolicy({ target: { metric: "cpu", value: 0.8 }, ...policy }, defaultPolicy, "");
  const counts = [10];
  const measured: number[] = [];
  let history: TargetHistory | undefined;
  for (let now = 0; now <= 900_000; now += every) {
    const desired = counts.at(-1)!;
    measured.push((now < 120_000 ? 8 : 12) / desired);
    const value = measured[Math.max(0, measured.length - 1 - lagMs / every)]!;
    const sample = { source: "metrics", value, ...(tellsAge && { ageMs: lagMs }) };
    const result = decideTarget({ desired, ready: desired, replicas: "many", policy: parsed, sample }, history, now)!;
    history = result.history;
    if (result.decision.kind !== "scale") continue;
    counts.push(result.decision.to);
    history = recordScale(history!, result.decision.to, now);
  }
  return counts;
}

const unlimited = [{ type: "percent", value: 1_000_000, period: "1ms" }];
const everything = [{ type: "percent", value: 100, period: "1ms" }];
const formula = {
  cooldown: 0,
  flapGuard: { reversals: 0 },
  scaleUp: { policies: unlimited },
  scaleDown: { stabilizationWindow: 0, policies: everything },
};

describe("the worked example of docs/scaling.md", () => {
  it.each<[string, object, boolean, number[]]>([
    ["the formula alone", formula, false, [10, 15, 23, 35, 53, 35, 15, 5, 2, 1, 3, 23, 100]],
    ["and a `cooldown` of 15 s", { ...formula, cooldown: "15s" }, false, [10, 15, 23, 15, 10, 15, 23, 15, 10]],
    ["and a `cooldown` of 20 s, longer than the lag", { ...formula, cooldown: "20s" }, false, [10, 15]],
    [
      "and 30 s of stabilisation both ways",
      {
        ...formula,
        scaleUp: { stabilizationWindow: "30s", policies: unlimited },
        scaleDown: { stabilizationWindow: "30s", policies: everything },
      },
      false,
      [10, 15],
    ],
    ["and a source that tells the age of its values", formula, true, [10, 15]],
    ["the defaults", {}, false, [10, 15, 23, 15]],
    ["the defaults, and a source that tells ages", {}, true, [10, 15]],
  ])("%s: as many changes and such counts as it says", (policy, written, tellsAge, first) => {
    const counts = countsUnder(written, tellsAge);
    expect(counts.slice(0, first.length)).toEqual(first);
    const row = guide.split("\n").find((line) => line.startsWith(`| ${policy} `));
    expect(row?.split("|")[2]?.trim()).toBe(String(counts.length - 1));
    expect(row).toContain(first.join(", "));
  });
});
