import { FakeClock } from "@dormouse/core/testing";
import { describe, expect, it } from "vitest";
import { CountingClock } from "./counting-clock.ts";

describe("CountingClock", () => {
  it("counts timers until they have fired or are taken back", async () => {
    const fake = new FakeClock();
    const clock = new CountingClock(fake);
    const kept = clock.setTimer(100, () => {});
    clock.setTimer(50, () => {});
    expect(clock.pending).toBe(2);
    await fake.advance(50);
    expect(clock.pending).toBe(1);
    kept.cancel();
    expect(clock.pending).toBe(0);
    expect(fake.pendingTimers).toBe(0);
  });

  it("counts sleeps until they end, aborted ones too", async () => {
    const fake = new FakeClock();
    const clock = new CountingClock(fake);
    const abort = new AbortController();
    const slept = clock.sleep(10);
    const aborted = expect(clock.sleep(10, abort.signal)).rejects.toThrow("enough");
    expect(clock.pending).toBe(2);
    abort.abort(new Error("enough"));
    await aborted;
    expect(clock.pending).toBe(1);
    await fake.advance(10);
    await slept;
    expect(clock.pending).toBe(0);
  });
});
