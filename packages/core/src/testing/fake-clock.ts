import type { Clock, Milliseconds, Timer } from "../clock.ts";
import { sleepOnClock } from "../sleep-on-clock.ts";

interface Entry {
  readonly at: Milliseconds;
  readonly order: number;
  readonly callback: () => void;
}

/** A clock that stands still until it is told to move. For tests. */
export class FakeClock implements Clock {
  #monotonic = 0;
  #wallOffset: number;
  #order = 0;
  readonly #timers = new Set<Entry>();

  /** @param startAt wall-clock time at the start, epoch ms */
  constructor(startAt = 1_700_000_000_000) {
    this.#wallOffset = startAt;
  }

  now(): number {
    return this.#wallOffset + this.#monotonic;
  }

  monotonic(): Milliseconds {
    return this.#monotonic;
  }

  setTimer(afterMs: Milliseconds, callback: () => void): Timer {
    const entry = { at: this.#monotonic + Math.max(0, afterMs), order: this.#order++, callback };
    this.#timers.add(entry);
    return { cancel: () => void this.#timers.delete(entry) };
  }

  sleep(ms: Milliseconds, signal?: AbortSignal): Promise<void> {
    return sleepOnClock(this, ms, signal);
  }

  /** Timers that have not fired: zero once everything under test has been closed. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** Moves the wall clock alone, as an operator or NTP would. */
  jumpWallClock(byMs: Milliseconds): void {
    this.#wallOffset += byMs;
  }

  /** Moves time on, fires what falls due in order, and lets promises settle between two timers. */
  async advance(ms: Milliseconds): Promise<void> {
    const end = this.#monotonic + ms;
    await settle();
    for (let next = this.#nextDue(end); next !== undefined; next = this.#nextDue(end)) {
      this.#monotonic = Math.max(this.#monotonic, next.at);
      this.#timers.delete(next);
      next.callback();
      await settle();
    }
    this.#monotonic = end;
  }

  #nextDue(end: Milliseconds): Entry | undefined {
    let due: Entry | undefined;
    for (const entry of this.#timers) {
      if (entry.at > end) continue;
      if (due === undefined || entry.at < due.at || (entry.at === due.at && entry.order < due.order)) due = entry;
    }
    return due;
  }
}

/** One turn of the event loop, after which all promises that could settle have settled. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
