import type { Milliseconds } from "@dormouse/core";
import { ValueWindow } from "./value-window.ts";

interface Kept {
  readonly window: ValueWindow;
  readonly windowMs: Milliseconds;
  askedAt: Milliseconds;
}

/** How often those that nobody asks for are looked for. */
const pruneEveryMs: Milliseconds = 60_000;

/** The windows of many numbers, each kept for as long as it is asked for. */
export class ValueWindows {
  readonly #kept = new Map<string, Kept>();
  #prunedAt: Milliseconds = 0;

  get size(): number {
    return this.#kept.size;
  }

  /** The window of a number, a new one where there is none. @param now monotonic ms */
  of(name: string, windowMs: Milliseconds, now: Milliseconds): ValueWindow {
    const key = `${String(windowMs)}\0${name}`;
    const kept = this.#kept.get(key) ?? { window: new ValueWindow(windowMs), windowMs, askedAt: now };
    kept.askedAt = now;
    this.#kept.set(key, kept);
    return kept.window;
  }

  /** Forgets what was not asked for within its window: it would begin anew anyway. @param now monotonic ms */
  prune(now: Milliseconds): void {
    if (now - this.#prunedAt < pruneEveryMs) return;
    this.#prunedAt = now;
    for (const [key, { askedAt, windowMs }] of this.#kept) if (now - askedAt > windowMs) this.#kept.delete(key);
  }
}
