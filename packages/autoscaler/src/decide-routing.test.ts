import type { IdleRule } from "@dormouse/core";
import { describe, expect, it } from "vitest";
import { decideRouting } from "./decide-routing.ts";

const rule: IdleRule = { metric: "open", window: 60_000, threshold: 0 };
const sources = new Map([
  ["dlx", { dlxOnly: true }],
  ["prometheus", {}],
]);

describe("decideRouting", () => {
  it("is always where the scaler cannot route, whatever the policy says", () => {
    expect(decideRouting({ routing: "direct", idleRules: [{ ...rule, source: "prometheus" }] }, false, sources)).toBe(
      "always",
    );
  });

  it("is what the policy says", () => {
    expect(decideRouting({ routing: "direct", idleRules: [] }, true, sources)).toBe("direct");
    expect(decideRouting({ routing: "always", idleRules: [{ ...rule, source: "prometheus" }] }, true, sources)).toBe(
      "always",
    );
  });

  it.each([
    ["no rule", [], "always"],
    ["a rule of a source that is configured", [{ ...rule, source: "prometheus" }], "direct"],
    ["a rule of a source that nobody configured", [{ ...rule, source: "datadog" }], "always"],
    ["a rule of the default source, which sees only the DLX", [rule], "always"],
    ["one such rule among others", [rule, { ...rule, source: "prometheus" }], "direct"],
  ] as const)("is by itself, with %s", (_, idleRules, expected) => {
    expect(decideRouting({ routing: "auto", idleRules: [...idleRules] }, true, sources)).toBe(expected);
  });

  it("is always by itself where no source is configured", () => {
    expect(decideRouting({ routing: "auto", idleRules: [rule] }, true, new Map())).toBe("always");
  });
});
