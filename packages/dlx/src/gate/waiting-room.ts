import type { Clock, Milliseconds, Timer } from "@dormouse/core";
import type { Passage } from "./passage.ts";

/** A request that waits. It ends once: by `admit`, `refuse`, its deadline or its client. */
export interface Waiting {
  readonly arrivedAt: Milliseconds;
  readonly activity: boolean;
  admit(passage: Passage): void;
  refuse(error: Error): void;
}

export interface WaitOptions {
  readonly arrivedAt: Milliseconds;
  readonly activity: boolean;
  /** Monotonic ms. */
  readonly deadline: Milliseconds;
  readonly signal: AbortSignal;
  /** What a request is refused with at its deadline, and when its client went away. */
  readonly late: () => Error;
  readonly gone: () => Error;
  /** Called once as the request leaves the room, in whatever way. */
  readonly left: () => void;
}

/** Held requests of one resource, first in first out. Who leaves early frees the slot at once. */
export class WaitingRoom {
  readonly #clock: Clock;
  readonly #waiting = new Set<Waiting>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Resolves with the passage once admitted; rejects with the error it was refused with. */
  wait(options: WaitOptions): Promise<Passage> {
    return new Promise((resolve, reject) => {
      const { signal } = options;
      const leave = (): void => {
        this.#waiting.delete(waiting);
        timer.cancel();
        signal.removeEventListener("abort", onAbort);
        options.left();
      };
      const waiting: Waiting = {
        arrivedAt: options.arrivedAt,
        activity: options.activity,
        admit: (passage) => {
          leave();
          resolve(passage);
        },
        refuse: (error) => {
          leave();
          reject(error);
        },
      };
      const onAbort = (): void => waiting.refuse(options.gone());
      const timer: Timer = this.#clock.setTimer(options.deadline - this.#clock.monotonic(), () =>
        waiting.refuse(options.late()),
      );
      signal.addEventListener("abort", onAbort, { once: true });
      this.#waiting.add(waiting);
    });
  }

  /** Who has waited longest. It stays until admitted or refused. */
  first(): Waiting | undefined {
    for (const waiting of this.#waiting) return waiting;
    return undefined;
  }

  refuseAll(error: () => Error): void {
    for (const waiting of this.#waiting) waiting.refuse(error());
  }
}
