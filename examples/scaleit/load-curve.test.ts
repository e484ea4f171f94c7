import { describe, expect, it } from "vitest";
import { loadCurve, loadShapes, shapeOf } from "./load-curve.ts";

const minutes = 30;
const everySecond = Array.from({ length: minutes * 60 }, (_, second) => second * 1_000);

describe.each(loadShapes)("a load of %s", (shape) => {
  it("is the same with the same seed and another with the next", () => {
    const [one, same, other] = [7, 7, 8].map((seed) => everySecond.map(loadCurve(shape, seed)));
    expect(one).toEqual(same);
    expect(one).not.toEqual(other);
  });

  it("goes up and down within its bounds, and takes time for it", () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const loads = everySecond.map(loadCurve(shape, seed));
      expect(Math.min(...loads)).toBeGreaterThanOrEqual(3);
      expect(Math.max(...loads)).toBeLessThanOrEqual(16);
      expect(Math.max(...loads) - Math.min(...loads)).toBeGreaterThan(3);
      const jumps = loads.map((load, second) => Math.abs(load - (loads[second - 1] ?? load)));
      expect(Math.max(...jumps)).toBeLessThan(1.5);
    }
  });
});

describe("seeds without a shape", () => {
  it("have every shape in turn, whatever whole number they are", () => {
    expect(new Set([1, 2, 3, 4, 5].map(shapeOf))).toEqual(new Set(loadShapes));
    expect(loadShapes).toContain(shapeOf(-3));
    expect(loadShapes).toContain(shapeOf(Number.MAX_SAFE_INTEGER));
  });
});
