import type { Clock, Milliseconds, Timer } from "./clock.ts";
import { sleepOnClock } from "./sleep-on-clock.ts";

/** Node runs a longer timer at once, so that longer waits are made of several; about 24.8 days. */
const longestTimerMs = 2_147_483_647;

/** The machine's clock. Its timers are never early by it, though Node's own are, by up to 2 ms. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer(afterMs, callback, options): Timer {
    const firesAt = performance.now() + afterMs;
    const wait = (): NodeJS.Timeout => {
      const leftMs = Math.ceil(Math.max(0, firesAt - performance.now()));
      const timer = setTimeout(fire, Math.min(leftMs, longestTimerMs));
      return options?.unref === true ? timer.unref() : timer;
    };
    const fire = (): void => {
      if (performance.now() < firesAt) timer = wait();
      else callback();
    };
    let timer = wait();
    return { cancel: () => clearTimeout(timer) };
  },
  sleep(ms: Milliseconds, signal?: AbortSignal): Promise<void> {
    return sleepOnClock(systemClock, ms, signal);
  },
};
