import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { durationSchema, formatDuration, positiveDurationSchema } from "./duration.ts";

const problemOf = (schema: z.ZodType, value: unknown): string | undefined =>
  schema.safeParse(value).error?.issues[0]?.message;

describe("durationSchema", () => {
  it.each([
    ["250ms", 250],
    ["90s", 90_000],
    ["1.5s", 1_500],
    ["0.001s", 1],
    ["5m", 300_000],
    ["1h", 3_600_000],
    ["366d", 31_622_400_000],
    ["0", 0],
    ["0s", 0],
    [0, 0],
  ])("reads %j as %d ms", (text, ms) => {
    expect(durationSchema.parse(text)).toBe(ms);
  });

  // A fraction of a millisecond would round to 0, which means "no limit" in some places.
  it.each(["5", "5 m", "5min", "-5s", "0.5ms", "1e3s", "", "s", ".5s", "1.2345s", 5, 1.5, null, true, {}])(
    "refuses %j and says how to write one",
    (value) => {
      expect(problemOf(durationSchema, value)).toBe(
        `${JSON.stringify(value)} is no duration; write a number with its unit, such as "250ms", "90s", "5m", "1h", or 0`,
      );
    },
  );

  it("says that one is missing", () => {
    expect(problemOf(z.object({ window: durationSchema }), {})).toMatch(/^is missing; write a duration/);
  });

  it("refuses more than a year, whose milliseconds would lose precision", () => {
    expect(problemOf(durationSchema, "367d")).toBe("is too long; write at most 366d");
    expect(problemOf(durationSchema, "999999999d")).toBe("is too long; write at most 366d");
  });

  it("writes what it reads, for every whole millisecond", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 31_622_400_000 }), (ms) => {
        expect(durationSchema.parse(formatDuration(ms))).toBe(ms);
        expect(z.encode(durationSchema, ms)).toBe(formatDuration(ms));
      }),
    );
  });
});

describe("positiveDurationSchema", () => {
  it("refuses zero and takes a millisecond", () => {
    expect(problemOf(positiveDurationSchema, "0s")).toBe("must be longer than 0");
    expect(problemOf(positiveDurationSchema, 0)).toBe("must be longer than 0");
    expect(positiveDurationSchema.parse("1ms")).toBe(1);
  });
});

describe("formatDuration", () => {
  it.each([
    [0, "0"],
    [1, "1ms"],
    [1_500, "1500ms"],
    [90_000, "90s"],
    [300_000, "5m"],
    [7_200_000, "2h"],
    [86_400_000, "1d"],
  ])("writes %d ms as %s", (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});
