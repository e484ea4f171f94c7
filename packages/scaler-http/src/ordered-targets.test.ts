import { FakeClock } from "@dormouse/core/testing";
import { describe, expect, it } from "vitest";
import { OrderedTargets } from "./ordered-targets.ts";

const two = (index: number): string | undefined => ["10.0.0.1:80", "[::1]:81"][index];

describe("addresses in the order of replicas", () => {
  it("are as many as there are replicas, and no more than are configured", () => {
    const targets = new OrderedTargets(two, new FakeClock(), 0);
    expect(targets.list(0)).toEqual([]);
    expect(targets.list(1)).toMatchObject([{ host: "10.0.0.1", port: 80 }]);
    expect(targets.list(5)).toMatchObject([
      { host: "10.0.0.1", port: 80 },
      { host: "::1", port: 81 },
    ]);
  });

  it("of those that a smaller count leaves stay the same", () => {
    const targets = new OrderedTargets(two, new FakeClock(), 0);
    const [first, second] = targets.list(2);
    targets.lowered(1);
    const again = targets.list(2);
    expect(again[0]?.id).toBe(first?.id);
    expect(again[1]?.id).not.toBe(second?.id);
  });

  it("are not used again before what was stopped there can have ended", async () => {
    const clock = new FakeClock();
    const targets = new OrderedTargets(two, clock, 30_000);
    expect(targets.list(2)).toHaveLength(2);
    targets.lowered(0);
    expect(targets.list(2)).toEqual([]);
    await clock.advance(29_999);
    expect(targets.list(2)).toEqual([]);
    await clock.advance(1);
    expect(targets.list(2)).toHaveLength(2);
  });

  it("of a template end at a bound", () => {
    const targets = new OrderedTargets((index) => `app-${String(index)}:80`, new FakeClock(), 0);
    targets.lowered(0);
    expect(targets.list(100_000)).toHaveLength(1_000);
  });
});
