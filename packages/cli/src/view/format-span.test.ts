import { describe, expect, it } from "vitest";
import { formatAgo, formatSpan } from "./format-span.ts";

describe("formatSpan", () => {
  it.each([
    [0, "0 ms"],
    [-5, "0 ms"],
    [0.6, "1 ms"],
    [412.4, "412 ms"],
    [999.6, "1 s"],
    [1_000, "1 s"],
    [3_240, "3.2 s"],
    [9_960, "10 s"],
    [42_400, "42 s"],
    [59_999, "60 s"],
    [60_000, "1 min"],
    [150_000, "2.5 min"],
    [3_600_000, "1 h"],
    [36_000_000, "10 h"],
    [86_400_000, "1 d"],
    [3_456_000_000, "40 d"],
  ])("%d ms is %s", (ms, text) => {
    expect(formatSpan(ms)).toBe(text);
  });
});

describe("formatAgo", () => {
  it.each([
    [0, "now"],
    [-10_000, "now"],
    [999, "now"],
    [18_000, "18 s ago"],
  ])("%d ms before is %s", (ms, text) => {
    expect(formatAgo(1_000_000 - ms, 1_000_000)).toBe(text);
  });
});
