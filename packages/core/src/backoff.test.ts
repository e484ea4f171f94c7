import { describe, expect, it } from "vitest";
import { backoffMs } from "./backoff.ts";

const options = { firstMs: 100, longestMs: 30_000 };

describe("backoffMs", () => {
  it.each([
    [0, 0, 50],
    [0, 0.999_999, 100],
    [1, 0, 100],
    [3, 0.5, 600],
    [8, 0, 12_800],
    [9, 0, 15_000],
    [1_000_000, 0.5, 22_500],
  ])("attempt %d with the random number %d waits about %d ms", (attempt, random, ms) => {
    expect(backoffMs(attempt, { ...options, random })).toBeCloseTo(ms, 2);
  });

  it("stays between half and the whole wait without a number", () => {
    for (let index = 0; index < 100; index += 1) {
      const ms = backoffMs(2, options);
      expect(ms).toBeGreaterThanOrEqual(200);
      expect(ms).toBeLessThan(400);
    }
  });
});
