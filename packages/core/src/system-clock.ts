import type { Clock, Milliseconds, Timer } from "./clock.ts";
import { sleepOnClock } from "./sleep-on-clock.ts";

/** Node runs a longer timer at once, so that longer waits are made of several; about 24.8 days. */
const longestTimerMs = 2_147_483_647;

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer(afterMs, callback, options): Timer {
    const isLast = afterMs <= longestTimerMs;
    const next = isLast ? callback : () => void (rest = this.setTimer(afterMs - longestTimerMs, callback, options));
    const timer = setTimeout(next, isLast ? Math.max(0, afterMs) : longestTimerMs);
    if (options?.unref === true) timer.unref();
    let rest: Timer | undefined;
    return {
      cancel() {
        clearTimeout(timer);
        rest?.cancel();
      },
    };
  },
  sleep(ms: Milliseconds, signal?: AbortSignal): Promise<void> {
    return sleepOnClock(systemClock, ms, signal);
  },
};
