import type { Clock, Milliseconds } from "./clock.ts";

/** `Clock.sleep` in terms of `Clock.setTimer`; shared by every clock. */
export function sleepOnClock(clock: Pick<Clock, "setTimer">, ms: Milliseconds, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = (): void => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = clock.setTimer(ms, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
