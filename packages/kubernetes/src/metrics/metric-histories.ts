import type { Clock, Milliseconds } from "@dormouse/core";
import { MetricHistory, type MetricPoint } from "./metric-history.ts";

interface Kept {
  readonly history: MetricHistory;
  readonly windowMs: Milliseconds;
  takenAt: Milliseconds;
}

/** How often those that nobody asks for are looked for. */
const pruneEveryMs: Milliseconds = 60_000;

/** Histories of many metrics, each kept for as long as it is asked for. */
export class MetricHistories {
  readonly #clock: Clock;
  readonly #kept = new Map<string, Kept>();
  #prunedAt: Milliseconds = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#kept.size;
  }

  /** Takes in a value; answers with the highest of the window, undefined where not all of it was seen. */
  take(name: string, windowMs: Milliseconds, point: MetricPoint): number | undefined {
    const key = `${String(windowMs)}\0${name}`;
    const kept = this.#kept.get(key) ?? { history: new MetricHistory(windowMs), windowMs, takenAt: 0 };
    this.#kept.set(key, kept);
    kept.takenAt = this.#clock.monotonic();
    kept.history.add(point);
    return kept.history.highest;
  }

  /** Forgets what was not asked for within its window: it would begin anew anyway. */
  prune(): void {
    const now = this.#clock.monotonic();
    if (now - this.#prunedAt < pruneEveryMs) return;
    this.#prunedAt = now;
    for (const [key, { takenAt, windowMs }] of this.#kept) if (now - takenAt > windowMs) this.#kept.delete(key);
  }
}
