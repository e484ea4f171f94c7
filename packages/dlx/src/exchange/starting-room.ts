import type { Clock, Milliseconds, Timer } from "@dormouse/core";

/** How often those who wait look whether there is a route now. */
const lookEveryMs = 50;

export interface StartingRoomOptions {
  readonly clock: Clock;
  /** Longest wait of one request. */
  readonly longestMs: Milliseconds;
  /** Requests that may wait at once. */
  readonly limit: () => number;
}

interface Waiting {
  readonly until: Milliseconds;
  readonly isDone: () => boolean;
  readonly leave: (isDone: boolean) => void;
}

/** Where requests wait while no route matches and some scaler has not listed its resources yet. */
export class StartingRoom {
  readonly #options: StartingRoomOptions;
  readonly #waiting = new Set<Waiting>();
  #timer: Timer | undefined;

  constructor(options: StartingRoomOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Resolves with true as soon as `isDone` says so; with false when the wait is too long, the room full, or the signal aborts. */
  wait(isDone: () => boolean, signal: AbortSignal): Promise<boolean> {
    if (this.#waiting.size >= this.#options.limit() || signal.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      const leave = (done: boolean): void => {
        this.#waiting.delete(waiting);
        signal.removeEventListener("abort", onAbort);
        resolve(done);
      };
      const onAbort = (): void => leave(false);
      const waiting = { until: this.#options.clock.monotonic() + this.#options.longestMs, isDone, leave };
      signal.addEventListener("abort", onAbort, { once: true });
      this.#waiting.add(waiting);
      this.#timer ??= this.#options.clock.setTimer(lookEveryMs, () => this.look());
    });
  }

  /** Looks now: the routes have changed. */
  look(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const now = this.#options.clock.monotonic();
    for (const waiting of this.#waiting) {
      if (waiting.isDone()) waiting.leave(true);
      else if (now >= waiting.until) waiting.leave(false);
    }
    if (this.#waiting.size > 0) this.#timer = this.#options.clock.setTimer(lookEveryMs, () => this.look());
  }

  /** Sends everybody away. */
  close(): void {
    for (const waiting of this.#waiting) waiting.leave(false);
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
