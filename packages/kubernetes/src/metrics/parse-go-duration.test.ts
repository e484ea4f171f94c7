import { expect, it } from "vitest";
import { parseGoDuration } from "./parse-go-duration.ts";

it.each([
  ["30s", 30_000],
  ["15.25s", 15_250],
  ["1m30s", 90_000],
  ["1h0m0.5s", 3_600_500],
  ["250ms", 250],
  ["3µs", 0.003],
  ["0", 0],
  ["0s", 0],
])("%s is %d ms", (text, ms) => {
  expect(parseGoDuration(text)).toBeCloseTo(ms, 9);
});

it.each(["", "30", "s", "-5s", "1d", "30 s", "1.s", "5s!", 30, null, undefined, {}])("%j is none", (text) => {
  expect(parseGoDuration(text)).toBeUndefined();
});
