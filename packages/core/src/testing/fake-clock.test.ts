import { describe, expect, it } from "vitest";
import { FakeClock } from "./fake-clock.ts";

describe("FakeClock", () => {
  it("fires in order of time, then of setting, and tells each its own time", async () => {
    const clock = new FakeClock(1_000);
    const fired: [string, number][] = [];
    const fire = (name: string) => () => void fired.push([name, clock.now()]);
    clock.setTimer(20, fire("late"));
    clock.setTimer(10, fire("first"));
    clock.setTimer(10, fire("second"));
    await clock.advance(30);
    expect(fired).toEqual([
      ["first", 1_010],
      ["second", 1_010],
      ["late", 1_020],
    ]);
    expect(clock.monotonic()).toBe(30);
  });

  it("fires what is set meanwhile, when it falls due in the same step", async () => {
    const clock = new FakeClock();
    const at: number[] = [];
    clock.setTimer(10, () => void clock.setTimer(5, () => void at.push(clock.monotonic())));
    await clock.advance(15);
    expect(at).toEqual([15]);
  });

  it("lets promises settle between two timers", async () => {
    const clock = new FakeClock();
    const at: number[] = [];
    const loop = (async () => {
      for (let round = 0; round < 3; round += 1) {
        await clock.sleep(10);
        at.push(clock.monotonic());
      }
    })();
    await clock.advance(30);
    await loop;
    expect(at).toEqual([10, 20, 30]);
  });

  it("jumps the wall clock without touching durations", async () => {
    const clock = new FakeClock(1_000);
    clock.jumpWallClock(-500);
    expect(clock.now()).toBe(500);
    expect(clock.monotonic()).toBe(0);
  });

  it("counts the timers that are left", () => {
    const clock = new FakeClock();
    const timer = clock.setTimer(10, () => {});
    expect(clock.pendingTimers).toBe(1);
    timer.cancel();
    expect(clock.pendingTimers).toBe(0);
  });

  it("steps from one timer to the next, and not past the end that it is given", async () => {
    const clock = new FakeClock();
    const at: number[] = [];
    for (const ms of [30, 10, 20]) clock.setTimer(ms, () => void at.push(ms));
    clock.setTimer(5, () => {}).cancel();
    expect(await clock.step(15)).toBe(true);
    expect([at, clock.monotonic()]).toEqual([[10], 10]);
    expect(await clock.step(15)).toBe(false);
    expect(clock.monotonic()).toBe(10);
    while (await clock.step());
    expect([at, clock.monotonic(), clock.pendingTimers]).toEqual([[10, 20, 30], 30, 0]);
  });
});
