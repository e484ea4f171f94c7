import type { Clock, LeaderElector, Milliseconds } from "@dormouse/core";

/**
 * The leader elector as the autoscaler has it, which also knows when it was asked last: every tick asks, the standby's
 * too, so a loop that stands still shows.
 */
export class WatchedLead implements LeaderElector {
  readonly #elector: LeaderElector;
  readonly #clock: Clock;
  #askedAt: Milliseconds;

  constructor(elector: LeaderElector, clock: Clock) {
    this.#elector = elector;
    this.#clock = clock;
    this.#askedAt = clock.monotonic();
  }

  /** Time since the loop asked last, in ms. */
  get unaskedForMs(): Milliseconds {
    return this.#clock.monotonic() - this.#askedAt;
  }

  /** Whether this process leads, for display: does not count as asking. An elector that fails does not lead. */
  get leads(): boolean {
    try {
      return this.#elector.isLeader();
    } catch {
      return false;
    }
  }

  isLeader(): boolean {
    this.#askedAt = this.#clock.monotonic();
    return this.#elector.isLeader();
  }

  leader(): string | undefined {
    try {
      return this.#elector.leader?.();
    } catch {
      return undefined;
    }
  }

  lead(signal: AbortSignal): Promise<void> {
    return this.#elector.lead(signal);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.#elector[Symbol.asyncDispose]());
  }
}
