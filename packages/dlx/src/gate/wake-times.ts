import type { Milliseconds } from "@dormouse/core";

/** How many of the last wakes count. */
const kept = 50;

/** How long a resource's last wakes took. */
export class WakeTimes {
  readonly #times: Milliseconds[] = [];

  add(ms: Milliseconds): void {
    this.#times.push(ms);
    if (this.#times.length > kept) this.#times.shift();
  }

  /** 95th percentile by nearest rank, in ms; undefined before the first wake. */
  get p95(): Milliseconds | undefined {
    const sorted = this.#times.toSorted((a, b) => a - b);
    return sorted[Math.ceil(sorted.length * 0.95) - 1];
  }
}
