import type { Clock, Milliseconds, Timer } from "../clock.ts";
import { sleepOnClock } from "../sleep-on-clock.ts";

interface Entry {
  readonly at: Milliseconds;
  callback: (() => void) | undefined;
}

/** A clock that stands still until it is told to move. For tests. */
export class FakeClock implements Clock {
  #monotonic = 0;
  #wallOffset: number;
  #pending = 0;
  /** The next to fire stands last; of two for the same moment the one that was set first. */
  readonly #entries: Entry[] = [];

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
    const entry: Entry = { at: this.#monotonic + Math.max(0, afterMs), callback };
    this.#entries.splice(this.#placeOf(entry.at), 0, entry);
    this.#pending += 1;
    return { cancel: () => this.#take(entry) };
  }

  sleep(ms: Milliseconds, signal?: AbortSignal): Promise<void> {
    return sleepOnClock(this, ms, signal);
  }

  /** Timers that have not fired: zero once everything under test has been closed. */
  get pendingTimers(): number {
    return this.#pending;
  }

  /** Moves the wall clock alone, as an operator or NTP would. */
  jumpWallClock(byMs: Milliseconds): void {
    this.#wallOffset += byMs;
  }

  /** Moves time on, fires what falls due in order, and lets promises settle between two timers. */
  async advance(ms: Milliseconds): Promise<void> {
    const end = this.#monotonic + ms;
    await settle();
    while (await this.step(end));
    this.#monotonic = end;
  }

  /**
   * Moves time on to the next timer that falls due until `end` (monotonic ms), fires it, and lets promises settle.
   * False: there is none, and time stands where it stood.
   */
  async step(end: Milliseconds = Number.POSITIVE_INFINITY): Promise<boolean> {
    const due = this.#nextDue(end);
    if (due === undefined) return false;
    this.#monotonic = Math.max(this.#monotonic, due.at);
    const { callback } = due;
    this.#take(due);
    callback?.();
    await settle();
    return true;
  }

  #nextDue(end: Milliseconds): Entry | undefined {
    for (let next = this.#entries.at(-1); next !== undefined; next = this.#entries.at(-1)) {
      if (next.callback !== undefined) return next.at <= end ? next : undefined;
      this.#entries.pop();
    }
    return undefined;
  }

  /** Taken entries stay where they stand until their turn comes. */
  #take(entry: Entry): void {
    if (entry.callback === undefined) return;
    entry.callback = undefined;
    this.#pending -= 1;
  }

  /** Behind all that fire later, before all that fire at the same moment or sooner. */
  #placeOf(at: Milliseconds): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const entry = this.#entries[middle];
      if (entry !== undefined && entry.at > at) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** One turn of the event loop, after which all promises that could settle have settled. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
