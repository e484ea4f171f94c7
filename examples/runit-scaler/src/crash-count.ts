import type { Clock } from "@dormouse/core";
import type { SuperviseStatus } from "./supervise-status.ts";

/** A run that lasts this long has started well, whatever was before it. */
const steadyMs = 5_000;

/** How often a service that is wanted has ended by itself, as far as looks at its status have shown. */
export class CrashCount {
  readonly #clock: Clock;
  #seen: SuperviseStatus | undefined;
  #seenAt = 0;
  #count = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get count(): number {
    return this.#count;
  }

  /** A new attempt begins: what is there now is no crash of it. */
  reset(status: SuperviseStatus): void {
    this.#count = 0;
    this.#take(status);
  }

  /** Each state has a time of its own: two ends are told apart, also where no run between them was seen. */
  look(status: SuperviseStatus): void {
    const before = this.#seen;
    if (before?.since === status.since) {
      if (status.pid !== undefined && this.#clock.monotonic() - this.#seenAt >= steadyMs) this.#count = 0;
      return;
    }
    const isReplaced = before?.pid !== undefined && !before.gotTerm;
    if (before !== undefined && status.wanted === "up" && (status.pid === undefined || isReplaced)) this.#count += 1;
    this.#take(status);
  }

  #take(status: SuperviseStatus): void {
    this.#seen = status;
    this.#seenAt = this.#clock.monotonic();
  }
}
