import { describe, expect, it } from "vitest";
import { selectsPod } from "./pod-selector.ts";

const labels = { app: "web", tier: "front" };

describe("a selector of pods", () => {
  it.each([
    ["all of its labels", { matchLabels: { app: "web", tier: "front" } }],
    ["a value of a list", { matchExpressions: [{ key: "app", operator: "In", values: ["api", "web"] }] }],
    ["no value of a list", { matchExpressions: [{ key: "app", operator: "NotIn", values: ["api"] }] }],
    [
      "a label that is not there and so in no list",
      { matchExpressions: [{ key: "x", operator: "NotIn", values: ["y"] }] },
    ],
    ["a label that is there", { matchExpressions: [{ key: "tier", operator: "Exists" }] }],
    ["a label that is not there", { matchExpressions: [{ key: "canary", operator: "DoesNotExist" }] }],
  ])("selects by %s", (_, selector) => {
    expect(selectsPod(selector, labels)).toBe(true);
  });

  it.each([
    ["nothing", {}],
    ["nothing at all", { matchLabels: null, matchExpressions: null }],
    ["another value", { matchLabels: { app: "web", tier: "back" } }],
    ["a list without the value", { matchExpressions: [{ key: "app", operator: "In", values: ["api"] }] }],
    ["a label of every object", { matchExpressions: [{ key: "constructor", operator: "Exists" }] }],
    ["an operator that is not known", { matchExpressions: [{ key: "app", operator: "Like", values: ["web"] }] }],
    [
      "one that holds and one that does not",
      { matchLabels: { app: "web" }, matchExpressions: [{ key: "tier", operator: "DoesNotExist" }] },
    ],
  ])("selects nothing by %s", (_, selector) => {
    expect(selectsPod(selector, labels)).toBe(false);
  });
});
