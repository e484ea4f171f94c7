import { array, assert, integer, property, record } from "fast-check";
import { describe, expect, it } from "vitest";
import { MetricHistory } from "./metric-history.ts";

const windowMs = 60_000;
const start = 1_700_000_000_000;

function historyOf(
  points: readonly (readonly [seconds: number, value: number, windowSeconds?: number])[],
): MetricHistory {
  const history = new MetricHistory(windowMs);
  for (const [seconds, value, windowSeconds = 0] of points)
    history.add({ at: start + seconds * 1_000, value, windowMs: windowSeconds * 1_000 });
  return history;
}

describe("the history of a metric", () => {
  it.each<[string, readonly (readonly [number, number, number?])[], number | undefined]>([
    ["knows nothing of a window that it has not seen", [[0, 0]], undefined],
    [
      "knows nothing while a part is missing",
      [
        [0, 0],
        [30, 0],
        [59, 0],
      ],
      undefined,
    ],
    [
      "knows the highest once it has seen the whole window",
      [
        [0, 1],
        [30, 3],
        [60, 2],
      ],
      3,
    ],
    [
      "forgets what is behind the window",
      [
        [0, 9],
        [10, 1],
        [40, 1],
        [70, 1],
      ],
      1,
    ],
    [
      "keeps the value that held at the window's begin",
      [
        [0, 9],
        [25, 1],
        [50, 1],
        [80, 1],
      ],
      9,
    ],
    [
      "begins anew after a gap of more than half a window",
      [
        [0, 0],
        [31, 0],
        [60, 0],
      ],
      undefined,
    ],
    [
      "bears gaps of half a window",
      [
        [0, 0],
        [30, 0],
        [60, 0],
      ],
      0,
    ],
    [
      "counts what a value speaks for",
      [
        [0, 0, 30],
        [30, 0, 30],
      ],
      0,
    ],
    [
      "has no gap where values speak for the time between them",
      [
        [0, 0],
        [55, 0, 30],
        [60, 0],
      ],
      0,
    ],
    [
      "takes the higher of two values of one moment",
      [
        [0, 0],
        [30, 5],
        [30, 1],
        [60, 0],
      ],
      5,
    ],
    [
      "counts a value that comes late",
      [
        [0, 0],
        [30, 0],
        [60, 0],
        [45, 7],
      ],
      7,
    ],
    [
      "knows a negative value",
      [
        [0, -2],
        [30, -1],
        [60, -3],
      ],
      -1,
    ],
  ])("%s", (_, points, highest) => {
    expect(historyOf(points).highest).toBe(highest);
  });

  it("is never lower than what was measured within the window", () => {
    const steps = array(record({ afterMs: integer({ min: 0, max: 20_000 }), value: integer({ min: 0, max: 100 }) }), {
      minLength: 1,
      maxLength: 200,
    });
    assert(
      property(steps, (given) => {
        const history = new MetricHistory(windowMs);
        const seen: { at: number; value: number }[] = [];
        let at = start;
        for (const { afterMs, value } of given) {
          at += afterMs;
          history.add({ at, value, windowMs: 0 });
          seen.push({ at, value });
          const within = seen.filter((point) => point.at >= at - windowMs).map((point) => point.value);
          expect(history.highest ?? Infinity).toBeGreaterThanOrEqual(Math.max(...within));
        }
      }),
    );
  });

  it("stays small and careful where values fall on and on", () => {
    const history = new MetricHistory(windowMs);
    for (let index = 0; index <= 600; index += 1)
      history.add({ at: start + index * 100, value: 1_000 - index, windowMs: 0 });
    expect(history.highest).toBe(1_000);
    for (let index = 0; index <= 1_300; index += 1)
      history.add({ at: start + 60_000 + index * 100, value: 1, windowMs: 0 });
    expect(history.highest).toBe(1);
  });
});
