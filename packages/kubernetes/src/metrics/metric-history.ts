import type { Milliseconds } from "@dormouse/core";

/** One value of a metric at one moment of the metrics API. */
export interface MetricPoint {
  /** Epoch ms, by the clock of whoever measured. */
  readonly at: number;
  readonly value: number;
  /** How much of the past the value speaks for, in ms; 0: the moment alone. */
  readonly windowMs: Milliseconds;
}

/** Falling values that are kept apart; further ones count as the one before, which is higher. */
const mostPeaks = 32;

/**
 * What a metric was within a window, out of values that the API gives one at a time. The answer is the highest value, and
 * only once what was seen reaches back over the whole window without a gap longer than half of it.
 */
export class MetricHistory {
  readonly #windowMs: Milliseconds;
  /** By time rising, by value falling: what is behind a higher, later value cannot matter any more. The last is the newest. */
  readonly #peaks: Peak[] = [];
  #newest: number | undefined;
  /** Since when there has been no gap. */
  #coveredFrom = 0;

  constructor(windowMs: Milliseconds) {
    this.#windowMs = windowMs;
  }

  /** Takes in a value. One that is older than the newest counts all the same, as if it were as new. */
  add({ at, value, windowMs }: MetricPoint): void {
    const from = at - windowMs;
    if (this.#newest === undefined || from - this.#newest > this.#windowMs / 2) {
      this.#coveredFrom = from;
      this.#peaks.length = 0;
    }
    this.#newest = Math.max(at, this.#newest ?? at);
    this.#push(this.#newest, value);
    this.#forgetBefore(this.#newest - this.#windowMs);
  }

  /** The highest value of the window that ends with the newest one; undefined: not all of it was seen. */
  get highest(): number | undefined {
    if (this.#newest === undefined || this.#coveredFrom > this.#newest - this.#windowMs) return undefined;
    return this.#peaks[0]?.value;
  }

  #push(at: number, value: number): void {
    const before = this.#peaks.at(-1);
    if (before !== undefined) before.until = at;
    while ((this.#peaks.at(-1)?.value ?? Infinity) <= value) this.#peaks.pop();
    const last = this.#peaks.at(-1);
    if (this.#peaks.length >= mostPeaks && last !== undefined) last.until = Infinity;
    else this.#peaks.push({ value, until: Infinity });
  }

  #forgetBefore(begin: number): void {
    while ((this.#peaks[0]?.until ?? Infinity) <= begin) this.#peaks.shift();
  }
}

interface Peak {
  readonly value: number;
  /** When the next value came: until then this one held. */
  until: number;
}
