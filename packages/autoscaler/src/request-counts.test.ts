import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RequestCounts } from "./request-counts.ts";

function report(process: string, requests: number): [string, ReadonlyMap<string, { readonly requests: number }>] {
  return [process, new Map([["web", { requests }]])];
}

describe("RequestCounts", () => {
  it("counts all there were before it knows better, then those since the last reading that is a window old", () => {
    const counts = new RequestCounts(100);
    expect(counts.take(new Map([report("a", 5)]), 0)("web")).toBe(5);
    expect(counts.take(new Map([report("a", 6)]), 50)("web")).toBe(6);
    expect(counts.take(new Map([report("a", 7)]), 100)("web")).toBe(2);
    expect(counts.take(new Map([report("a", 7)]), 200)("web")).toBe(0);
  });

  it("adds the DLXs up and takes a new process's count as it is", () => {
    const counts = new RequestCounts(100);
    counts.take(new Map([report("a", 5)]), 0);
    expect(counts.take(new Map([report("a", 6), report("b", 2)]), 100)("web")).toBe(3);
    expect(counts.take(new Map([report("a", 6)]), 100)("other")).toBe(0);
  });

  it("takes a total that fell for one that began anew", () => {
    const counts = new RequestCounts(100);
    counts.take(new Map([report("a", 5)]), 0);
    expect(counts.take(new Map([report("a", 2)]), 100)("web")).toBe(2);
  });

  it("never counts too few, and nothing once two windows have passed without any", () => {
    const steps = fc.array(fc.record({ waitMs: fc.integer({ min: 1, max: 150 }), requests: fc.nat({ max: 3 }) }), {
      minLength: 1,
      maxLength: 40,
    });
    fc.assert(
      fc.property(steps, (steps) => {
        const counts = new RequestCounts(100);
        const arrivals: number[] = [];
        let now = 0;
        let counted = 0;
        for (const { waitMs, requests } of steps) {
          now += waitMs;
          arrivals.push(...Array.from({ length: requests }, () => now));
          counted = counts.take(new Map([report("a", arrivals.length)]), now)("web");
          expect(counted).toBeGreaterThanOrEqual(arrivals.filter((at) => at > now - 100).length);
        }
        for (let quiet = 0; quiet < 4; quiet += 1)
          counted = counts.take(new Map([report("a", arrivals.length)]), (now += 100))("web");
        expect(counted).toBe(0);
      }),
    );
  });
});
