import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { systemClock } from "./system-clock.ts";

describe("systemClock", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("calls back once after the time", () => {
    const callback = vi.fn();
    systemClock.setTimer(50, callback);
    vi.advanceTimersByTime(49);
    expect(callback).not.toHaveBeenCalled();
    vi.advanceTimersByTime(100);
    expect(callback).toHaveBeenCalledOnce();
  });

  it("takes a timer back", () => {
    const callback = vi.fn();
    systemClock.setTimer(50, callback).cancel();
    vi.advanceTimersByTime(100);
    expect(callback).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  // Node fires a timer of more than 2^31 - 1 ms after 1 ms.
  it("waits longer than Node's longest timer", () => {
    const callback = vi.fn();
    const days = 60 * 86_400_000;
    systemClock.setTimer(days, callback);
    vi.advanceTimersByTime(days - 1);
    expect(callback).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(callback).toHaveBeenCalledOnce();
  });

  it("takes a long timer back in its second part", () => {
    const callback = vi.fn();
    const timer = systemClock.setTimer(60 * 86_400_000, callback);
    vi.advanceTimersByTime(30 * 86_400_000);
    timer.cancel();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("takes a negative time for soon", () => {
    const callback = vi.fn();
    systemClock.setTimer(-5, callback);
    vi.advanceTimersByTime(1);
    expect(callback).toHaveBeenCalledOnce();
  });

  it("does not keep the process alive by a timer that is unref", () => {
    const spy = vi.spyOn(globalThis, "setTimeout");
    systemClock.setTimer(1_000, () => {}, { unref: true }).cancel();
    const timer = spy.mock.results[0]!.value as NodeJS.Timeout;
    expect(timer.hasRef()).toBe(false);
    spy.mockRestore();
  });

  it("tells epoch ms and a time that never goes back", () => {
    const before = systemClock.monotonic();
    vi.advanceTimersByTime(10);
    expect(systemClock.monotonic()).toBeGreaterThanOrEqual(before);
    expect(systemClock.now()).toBe(Date.now());
  });
});

describe("systemClock.sleep", () => {
  // Node drops fractions of a ms, and counts from the start of the one it is in: most of these timers of its own are early.
  it("is never over before its time, by the clock that measures it", async () => {
    const early: number[] = [];
    for (let tenths = 10; tenths < 60; tenths += 1) {
      const before = systemClock.monotonic();
      await systemClock.sleep(tenths / 10 + 0.09);
      const lacking = before + tenths / 10 + 0.09 - systemClock.monotonic();
      if (lacking > 0) early.push(lacking);
    }
    expect(early).toEqual([]);
  });
});
