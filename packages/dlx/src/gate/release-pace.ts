import type { Clock, Milliseconds, Timer } from "@dormouse/core";

/** A released request that has not answered by then no longer holds others up: it may be a long poll. */
const countsForMs = 5_000;

/** How many released requests wait for the first byte of their response, so that a fresh instance is not flooded. */
export class ReleasePace {
  readonly #clock: Clock;
  readonly #room: () => void;
  readonly #released = new Map<object, Milliseconds>();
  #timer: Timer | undefined;

  /** @param room called when a place became free by time alone */
  constructor(clock: Clock, room: () => void) {
    this.#clock = clock;
    this.#room = room;
  }

  /** Whether one more may be released. Where not, `room` is called in time. */
  allows(limit: number): boolean {
    if (this.#released.size < limit) return true;
    this.#expire();
    if (this.#released.size < limit) return true;
    this.#timer ??= this.#clock.setTimer(this.#untilExpiry(), () => {
      this.#timer = undefined;
      this.#room();
    });
    return false;
  }

  released(passage: object): void {
    this.#released.set(passage, this.#clock.monotonic());
  }

  /** The request has answered or ended. Whether it had counted. */
  answered(passage: object): boolean {
    return this.#released.delete(passage);
  }

  /** Nothing is waiting any more: no timer is needed. */
  rest(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #expire(): void {
    const before = this.#clock.monotonic() - countsForMs;
    for (const [passage, at] of this.#released) {
      if (at > before) return;
      this.#released.delete(passage);
    }
  }

  #untilExpiry(): Milliseconds {
    for (const at of this.#released.values()) return at + countsForMs - this.#clock.monotonic();
    return 0;
  }
}
