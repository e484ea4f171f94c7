import type { Clock, Milliseconds, Timer } from "@dormouse/core";
import type { Passage } from "./passage.ts";

export interface WaitOptions {
  readonly arrivedAt: Milliseconds;
  readonly activity: boolean;
  /** Monotonic ms. */
  readonly deadline: Milliseconds;
  readonly signal: AbortSignal;
}

/** What a room asks of its owner. */
export interface WaitingRoomOwner {
  /** What a request is refused with at its deadline. */
  late(): Error;
  /** What it is refused with when its client went away. */
  gone(): Error;
  /** Called once as a request leaves the room, in whatever way. */
  left(): void;
}

/** A request that waits. It ends once: by `admit`, `refuse`, its deadline or its client. Thousands wait at once: no closures but the timer's. */
export class Waiting {
  readonly promise: Promise<Passage>;
  readonly #room: WaitingRoom;
  readonly #options: WaitOptions;
  readonly #timer: Timer;
  #resolve!: (passage: Passage) => void;
  #reject!: (error: Error) => void;

  constructor(room: WaitingRoom, options: WaitOptions, clock: Clock) {
    this.#room = room;
    this.#options = options;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#timer = clock.setTimer(options.deadline - clock.monotonic(), () => this.refuse(room.owner.late()));
    options.signal.addEventListener("abort", this, { once: true });
  }

  get arrivedAt(): Milliseconds {
    return this.#options.arrivedAt;
  }

  get activity(): boolean {
    return this.#options.activity;
  }

  admit(passage: Passage): void {
    this.#leave();
    this.#resolve(passage);
  }

  refuse(error: Error): void {
    this.#leave();
    this.#reject(error);
  }

  /** The client went away. */
  handleEvent(): void {
    this.refuse(this.#room.owner.gone());
  }

  #leave(): void {
    this.#timer.cancel();
    this.#options.signal.removeEventListener("abort", this);
    this.#room.leave(this);
  }
}

/** Held requests of one resource, first in first out. Who leaves early frees the slot at once. */
export class WaitingRoom {
  readonly owner: WaitingRoomOwner;
  readonly #clock: Clock;
  readonly #waiting = new Set<Waiting>();

  constructor(clock: Clock, owner: WaitingRoomOwner) {
    this.#clock = clock;
    this.owner = owner;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Resolves with the passage once admitted; rejects with the error it was refused with. */
  wait(options: WaitOptions): Promise<Passage> {
    const waiting = new Waiting(this, options, this.#clock);
    this.#waiting.add(waiting);
    return waiting.promise;
  }

  /** Who has waited longest. It stays until admitted or refused. */
  first(): Waiting | undefined {
    for (const waiting of this.#waiting) return waiting;
    return undefined;
  }

  /** Called by the request itself. */
  leave(waiting: Waiting): void {
    if (this.#waiting.delete(waiting)) this.owner.left();
  }

  refuseAll(error: () => Error): void {
    for (const waiting of this.#waiting) waiting.refuse(error());
  }
}
