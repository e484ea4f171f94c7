import { array, assert, integer, property, record } from "fast-check";
import { describe, expect, it } from "vitest";
import { ValueWindow } from "./value-window.ts";

const windowMs = 60_000;

/** @param points seconds, value, and how many seconds of the past the value speaks for */
function windowOf(points: readonly (readonly [seconds: number, value: number, standsFor?: number])[]): ValueWindow {
  const window = new ValueWindow(windowMs);
  for (const [seconds, value, standsFor = 0] of points) window.add(seconds * 1_000, value, standsFor * 1_000);
  return window;
}

describe("the window of a number", () => {
  it("knows nothing before it has seen a value, nor before it has seen all of the window", () => {
    expect(new ValueWindow(windowMs).highest).toBeUndefined();
    const window = windowOf([
      [0, 0],
      [30, 0],
      [59, 0],
    ]);
    expect([window.highest, window.average]).toEqual([undefined, undefined]);
  });

  it("knows the highest value and the mean over time once it has seen all of it", () => {
    const window = windowOf([
      [0, 1],
      [30, 4],
      [45, 0],
      [60, 2],
    ]);
    expect(window.highest).toBe(4);
    expect(window.average).toBe((30 * 1 + 15 * 4) / 60);
  });

  it("counts the value that held when the window began, by the part that lies in it", () => {
    const window = windowOf([
      [0, 9],
      [20, 0],
      [45, 0],
      [70, 0],
    ]);
    expect(window.highest).toBe(9);
    expect(window.average).toBeCloseTo((10 * 9) / 60);
  });

  it("forgets what is behind it", () => {
    const points = [0, 20, 40, 60, 80].map((seconds) => [seconds, seconds === 0 ? 9 : 1] as const);
    expect(windowOf(points).highest).toBe(1);
  });

  it("begins anew after a gap of more than half of it, and bears a shorter one", () => {
    expect(
      windowOf([
        [0, 0],
        [31, 0],
        [60, 0],
      ]).highest,
    ).toBeUndefined();
    expect(
      windowOf([
        [0, 0],
        [30, 0],
        [60, 0],
      ]).highest,
    ).toBe(0);
  });

  it("takes a value at its word that speaks for a part of the past", () => {
    const window = windowOf([
      [60, 3, 60],
      [100, 1, 40],
    ]);
    expect(window.highest).toBe(3);
    expect(window.average).toBeCloseTo((20 * 3 + 40 * 1) / 60);
  });

  it("has no gap where values speak for the time between them", () => {
    const window = windowOf([
      [0, 2, 5],
      [55, 4, 55],
      [60, 4, 5],
    ]);
    expect(window.average).toBe(4);
  });

  it("is the latest value where the window is nothing", () => {
    const window = new ValueWindow(0);
    window.add(1_000, 5, 0);
    expect([window.highest, window.average]).toEqual([5, 5]);
    window.add(9_000, 3, 0);
    expect([window.highest, window.average]).toEqual([3, 3]);
  });

  it("counts a value that comes late as if it were as new as the newest", () => {
    const window = windowOf([
      [0, 0],
      [30, 0],
      [60, 0],
      [45, 7],
    ]);
    expect(window.highest).toBe(7);
  });

  it("is never below what was measured within it, and its mean lies between its extremes, however many values come", () => {
    const steps = array(record({ afterMs: integer({ min: 0, max: 2_000 }), value: integer({ min: -50, max: 100 }) }), {
      minLength: 1,
      maxLength: 2_000,
    });
    assert(
      property(steps, (given) => {
        const window = new ValueWindow(windowMs);
        const seen: { readonly at: number; readonly value: number }[] = [];
        let at = 0;
        for (const { afterMs, value } of given) {
          at += afterMs;
          window.add(at, value, 0);
          seen.push({ at, value });
        }
        const within = seen.filter((point) => point.at >= at - windowMs).map(({ value }) => value);
        const { highest, average } = window;
        const isCovered = (seen[0]?.at ?? at) <= at - windowMs;
        expect([highest !== undefined, average !== undefined]).toEqual([isCovered, isCovered]);
        expect(highest ?? Infinity).toBeGreaterThanOrEqual(Math.max(...within));
        expect(average ?? -Infinity).toBeLessThanOrEqual((highest ?? Infinity) + 1e-9);
        expect(average ?? Infinity).toBeGreaterThanOrEqual(Math.min(...seen.map(({ value }) => value)) - 1e-9);
      }),
      { numRuns: 50 },
    );
  });

  it("keeps its mean right where it keeps many values together", () => {
    const window = new ValueWindow(windowMs);
    for (let at = 0; at <= 2 * windowMs; at += 10) window.add(at, at % 20 === 0 ? 0 : 10, 0);
    expect(window.highest).toBe(10);
    expect(window.average).toBeCloseTo(5, 1);
  });
});
