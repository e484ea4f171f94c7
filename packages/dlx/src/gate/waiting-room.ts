import type { Clock, Milliseconds, Timer } from "@dormouse/core";
import type { Passage } from "./passage.ts";

export interface WaitOptions {
  readonly arrivedAt: Milliseconds;
  /** The further port that the request is for; undefined: the main one. */
  readonly port?: string | undefined;
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
  /** Rises with each request of the room. */
  readonly order: number;
  readonly #room: WaitingRoom;
  readonly #options: WaitOptions;
  readonly #timer: Timer;
  #resolve!: (passage: Passage) => void;
  #reject!: (error: Error) => void;

  constructor(room: WaitingRoom, options: WaitOptions, order: number, clock: Clock) {
    this.#room = room;
    this.order = order;
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

  get port(): string | undefined {
    return this.#options.port;
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
  /** By port: who waits for one that does not answer holds up nobody else. */
  readonly #queues = new Map<string | undefined, Set<Waiting>>();
  #size = 0;
  #order = 0;

  constructor(clock: Clock, owner: WaitingRoomOwner) {
    this.#clock = clock;
    this.owner = owner;
  }

  get size(): number {
    return this.#size;
  }

  /** Resolves with the passage once admitted; rejects with the error it was refused with. */
  wait(options: WaitOptions): Promise<Passage> {
    const waiting = new Waiting(this, options, (this.#order += 1), this.#clock);
    const queue = this.#queues.get(options.port) ?? new Set();
    this.#queues.set(options.port, queue.add(waiting));
    this.#size += 1;
    return waiting.promise;
  }

  /** Who has waited longest of those whose port may be had. It stays until admitted or refused. */
  first(may: (port: string | undefined) => boolean): Waiting | undefined {
    let first: Waiting | undefined;
    for (const [port, queue] of this.#queues) {
      for (const waiting of queue) {
        if ((first === undefined || waiting.order < first.order) && may(port)) first = waiting;
        break;
      }
    }
    return first;
  }

  /** Called by the request itself. */
  leave(waiting: Waiting): void {
    const queue = this.#queues.get(waiting.port);
    if (queue?.delete(waiting) !== true) return;
    if (queue.size === 0) this.#queues.delete(waiting.port);
    this.#size -= 1;
    this.owner.left();
  }

  refuseAll(error: () => Error): void {
    for (const port of this.#queues.keys()) this.refusePort(port, error);
  }

  /** Refuses all that wait for one port. */
  refusePort(port: string | undefined, error: () => Error): void {
    for (const waiting of this.#queues.get(port) ?? []) waiting.refuse(error());
  }
}
