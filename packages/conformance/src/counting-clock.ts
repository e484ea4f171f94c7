import type { Clock, Milliseconds, Timer } from "@dormouse/core";

/** Another clock that also knows how many of its timers are pending. */
export class CountingClock implements Clock {
  readonly #clock: Clock;
  readonly #pending = new Set<Timer>();
  #sleeping = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get pending(): number {
    return this.#pending.size + this.#sleeping;
  }

  now(): number {
    return this.#clock.now();
  }

  monotonic(): Milliseconds {
    return this.#clock.monotonic();
  }

  setTimer(afterMs: Milliseconds, callback: () => void, options?: { readonly unref?: boolean }): Timer {
    const fire = (): void => {
      this.#pending.delete(counted);
      callback();
    };
    const timer = this.#clock.setTimer(afterMs, fire, options);
    const counted: Timer = {
      cancel: () => {
        this.#pending.delete(counted);
        timer.cancel();
      },
    };
    this.#pending.add(counted);
    return counted;
  }

  async sleep(ms: Milliseconds, signal?: AbortSignal): Promise<void> {
    this.#sleeping += 1;
    try {
      await this.#clock.sleep(ms, signal);
    } finally {
      this.#sleeping -= 1;
    }
  }
}
