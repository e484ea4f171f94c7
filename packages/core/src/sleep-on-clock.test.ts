import { describe, expect, it } from "vitest";
import { FakeClock } from "./testing/fake-clock.ts";
import { countListeners } from "./testing/count-listeners.ts";

describe("a clock's sleep", () => {
  it("resolves when the time has come", async () => {
    const clock = new FakeClock();
    let isOver = false;
    const sleeping = clock.sleep(100).then(() => (isOver = true));
    await clock.advance(99);
    expect(isOver).toBe(false);
    await clock.advance(1);
    await sleeping;
  });

  it("rejects with the signal's reason, and leaves no timer and no listener", async () => {
    const clock = new FakeClock();
    const abort = new AbortController();
    const listeners = countListeners(abort.signal);
    const sleeping = clock.sleep(100, abort.signal);
    const reason = new Error("enough");
    abort.abort(reason);
    await expect(sleeping).rejects.toBe(reason);
    expect(clock.pendingTimers).toBe(0);
    expect(listeners()).toBe(0);
  });

  it("rejects at once where the signal has aborted before", async () => {
    const clock = new FakeClock();
    const reason = new Error("enough");
    await expect(clock.sleep(100, AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(clock.pendingTimers).toBe(0);
  });

  it("leaves no listener once it is over", async () => {
    const clock = new FakeClock();
    const { signal } = new AbortController();
    const listeners = countListeners(signal);
    const sleeping = clock.sleep(100, signal);
    expect(listeners()).toBe(1);
    await clock.advance(100);
    await sleeping;
    expect(listeners()).toBe(0);
  });
});
