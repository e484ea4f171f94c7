import type { Clock, Milliseconds, Timer } from "@dormouse/core";

interface Entry {
  readonly at: Milliseconds;
  readonly order: number;
  readonly callback: () => void;
}

/** A clock that jumps to its next timer as soon as nothing else is left to do: minutes pass in no time, always alike. */
export class EagerClock implements Clock {
  #monotonic = 0;
  #order = 0;
  #isRunning = false;
  readonly #timers = new Set<Entry>();

  now(): number {
    return 1_700_000_000_000 + this.#monotonic;
  }

  monotonic(): Milliseconds {
    return this.#monotonic;
  }

  setTimer(afterMs: Milliseconds, callback: () => void): Timer {
    const entry = { at: this.#monotonic + Math.max(0, afterMs), order: this.#order++, callback };
    this.#timers.add(entry);
    if (!this.#isRunning) this.#run();
    return { cancel: () => void this.#timers.delete(entry) };
  }

  sleep(ms: Milliseconds, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason);
      const onAbort = (): void => {
        timer.cancel();
        reject(signal?.reason);
      };
      const timer = this.setTimer(ms, () => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      });
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** Fires one timer a turn, after every promise that could settle has settled. */
  #run(): void {
    this.#isRunning = true;
    setImmediate(() => {
      const next = this.#takeNext();
      this.#isRunning = false;
      next?.callback();
      if (this.#timers.size > 0 && !this.#isRunning) this.#run();
    });
  }

  #takeNext(): Entry | undefined {
    let next: Entry | undefined;
    for (const entry of this.#timers) {
      if (next === undefined || entry.at < next.at || (entry.at === next.at && entry.order < next.order)) next = entry;
    }
    if (next === undefined) return undefined;
    this.#timers.delete(next);
    this.#monotonic = Math.max(this.#monotonic, next.at);
    return next;
  }
}
