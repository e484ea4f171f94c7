import { describe, expect, it } from "vitest";
import { decideRouting, seesDirectBy } from "./decide-routing.ts";
import type { IdleRule } from "./policy.ts";

const rule: IdleRule = { metric: "open", window: 60_000, threshold: 0 };
const seesDirect = seesDirectBy(() => [{ use: "dlx" }, { use: "@dormouse/metrics-prometheus" }]);
const facts = { routes: true, seesDirect };

describe("decideRouting", () => {
  it("is always where the scaler cannot route, whatever the policy says", () => {
    expect(
      decideRouting(
        { enabled: true, routing: "direct", idleRules: [{ ...rule, source: "prometheus" }] },
        { ...facts, routes: false },
      ),
    ).toBe("always");
  });

  it("is what the policy says", () => {
    expect(decideRouting({ enabled: true, routing: "direct", idleRules: [] }, facts)).toBe("direct");
    expect(
      decideRouting({ enabled: true, routing: "always", idleRules: [{ ...rule, source: "prometheus" }] }, facts),
    ).toBe("always");
  });

  it("is direct for what does not opt in: what was diverted goes back", () => {
    expect(decideRouting({ enabled: false, routing: "always", idleRules: [] }, facts)).toBe("direct");
  });

  it.each([
    ["no rule", [], "always"],
    ["a rule of a source that is configured", [{ ...rule, source: "prometheus" }], "direct"],
    ["a rule of a source that nobody configured", [{ ...rule, source: "datadog" }], "always"],
    ["a rule of the default source, which sees only the DLX", [rule], "always"],
    ["one such rule among others", [rule, { ...rule, source: "prometheus" }], "direct"],
  ] as const)("is by itself, with %s", (_, idleRules, expected) => {
    expect(decideRouting({ enabled: true, routing: "auto", idleRules: [...idleRules] }, facts)).toBe(expected);
  });

  it("is always by itself where no source is configured", () => {
    expect(
      decideRouting(
        { enabled: true, routing: "auto", idleRules: [rule] },
        { ...facts, seesDirect: seesDirectBy(() => []) },
      ),
    ).toBe("always");
  });

  it("does not change where a source is called by another name, or another one is the default", () => {
    let metrics = [{ use: "dlx", id: "counts" }];
    const sees = seesDirectBy(() => metrics);
    expect([sees(undefined), sees("counts"), sees("dlx")]).toEqual([false, false, false]);
    metrics = [{ use: "./sources/mine.ts", id: "dlx" }];
    expect([sees(undefined), sees("dlx"), sees("counts")]).toEqual([true, true, false]);
  });
});
