import type { Clock } from "@dormouse/core";

/** The resource manager's own token bucket. */
export class RateLimit {
  readonly #clock: Clock;
  readonly #burst: number;
  readonly #perSecond: number;
  #tokens: number;
  #filledAt: number;

  constructor(clock: Clock, burst: number, perSecond: number) {
    this.#clock = clock;
    this.#burst = burst;
    this.#perSecond = perSecond;
    this.#tokens = burst;
    this.#filledAt = clock.monotonic();
  }

  /** Takes a token. @returns how many are left, and how long to wait where none was; 0: it was taken */
  take(): { readonly remaining: number; readonly retryAfterSeconds: number } {
    const now = this.#clock.monotonic();
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#filledAt) / 1_000) * this.#perSecond);
    this.#filledAt = now;
    if (this.#tokens < 1) return { remaining: 0, retryAfterSeconds: Math.ceil((1 - this.#tokens) / this.#perSecond) };
    this.#tokens -= 1;
    return { remaining: Math.floor(this.#tokens), retryAfterSeconds: 0 };
  }
}
