import { FakeClock } from "./testing/fake-clock.ts";
import { describe, expect, it } from "vitest";
import { callWithDeadline } from "./call-with-deadline.ts";

function options(signal = new AbortController().signal) {
  return { clock: new FakeClock(), afterMs: 100, signal, what: "the thing" };
}

describe("callWithDeadline", () => {
  it("gives what the call gives, and leaves no timer", async () => {
    const given = options();
    await expect(callWithDeadline(given, async () => 7)).resolves.toBe(7);
    expect(given.clock.pendingTimers).toBe(0);
  });

  it("ends a call that heeds nothing on time, and tells it so", async () => {
    const given = options();
    let told: AbortSignal | undefined;
    const call = callWithDeadline(given, (signal) => {
      told = signal;
      return new Promise(() => {});
    });
    const ended = expect(call).rejects.toMatchObject({
      code: "SCALER_TIMEOUT",
      message: "the thing did not answer within 100 ms",
    });
    await given.clock.advance(100);
    await ended;
    expect(told?.aborted).toBe(true);
  });

  it("ends with its caller's signal, and does not begin after it", async () => {
    const abort = new AbortController();
    const given = options(abort.signal);
    const call = callWithDeadline(given, () => new Promise(() => {}));
    abort.abort();
    await expect(call).rejects.toMatchObject({ code: "SCALER_ABORTED" });
    let calls = 0;
    const late = callWithDeadline(given, async () => {
      calls += 1;
    });
    await expect(late).rejects.toMatchObject({ code: "SCALER_ABORTED" });
    expect(calls).toBe(0);
    expect(given.clock.pendingTimers).toBe(0);
  });

  it("gives what the call throws, at once or later", async () => {
    await expect(callWithDeadline(options(), () => Promise.reject(new Error("later")))).rejects.toThrow("later");
    const throwing = (): Promise<void> => {
      throw new Error("at once");
    };
    await expect(callWithDeadline(options(), throwing)).rejects.toThrow("at once");
  });
});
