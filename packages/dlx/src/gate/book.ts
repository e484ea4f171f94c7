import type { Clock, Milliseconds } from "@dormouse/core";

/*
 * The books of a DLX: whatever it counts, and nothing else. Each count has one owner, which alone changes it, in
 * synchronous steps, so that a check and its count cannot come apart:
 *
 *   licence, fences, held, in flight, last activity of a resource   its `Book`
 *   held and in flight of the whole process                        `Totals`, by way of the books
 *   in flight of one target                                        its `TargetSlot`
 *
 * A request is in at most one of held and in flight. `hold` and `enter` each have one `unhold` or `leave`: the waiting
 * room calls `unhold` as a request leaves it in whatever way, a passage calls `leave` at its one end.
 */

/** Sums over all books of a process. */
export class Totals {
  #held = 0;
  #inFlight = 0;

  get held(): number {
    return this.#held;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Opens the book of one more resource: what it counts is counted here too. */
  openBook(clock: Clock): Book {
    return new Book(clock, {
      held: (by) => void (this.#held += by),
      inFlight: (by) => void (this.#inFlight += by),
    });
  }
}

/** What a book tells the sums. */
interface Sums {
  readonly held: (by: 1 | -1) => void;
  readonly inFlight: (by: 1 | -1) => void;
}

/** The stream part of a request in flight: when its last byte moved. */
export interface StreamMark {
  movedAt: Milliseconds;
}

/** What a DLX counts for one resource: the licence, requests in flight, requests held, and the last activity. */
export class Book {
  readonly #clock: Clock;
  readonly #sums: Sums;
  readonly #streams = new Set<StreamMark>();
  #licensed = false;
  #fences = 0;
  #inFlight = 0;
  #held = 0;
  #activeAt: Milliseconds;
  #everActive = false;
  #requests = 0;

  /** Opened by `Totals`. */
  constructor(clock: Clock, sums: Sums) {
    this.#clock = clock;
    this.#sums = sums;
    this.#activeAt = clock.monotonic();
  }

  /** Whether requests may be forwarded. */
  get licensed(): boolean {
    return this.#licensed;
  }

  /** How many fences came so far. A claim remembers the number at which it was sent. */
  get fences(): number {
    return this.#fences;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get held(): number {
    return this.#held;
  }

  /** Requests that entered or were held since the process started. */
  get requests(): number {
    return this.#requests;
  }

  /** Gives the licence to an accepted claim; false where a fence came since the claim was sent: it is void. */
  grant(fencesWhenSent: number): boolean {
    if (this.#fences !== fencesWhenSent) return false;
    this.#licensed = true;
    return true;
  }

  /** Takes the licence away: no target is left. */
  revoke(): void {
    this.#licensed = false;
  }

  /** Takes the licence away and voids every claim under way; valid for ever. */
  fence(): void {
    this.#fences += 1;
    this.#licensed = false;
  }

  /** Counts a request in flight, if there is a licence. `leave` must follow exactly once. */
  enter(activity: boolean): boolean {
    if (!this.#licensed) return false;
    this.#inFlight += 1;
    this.#sums.inFlight(1);
    if (activity) this.active();
    return true;
  }

  leave(activity: boolean): void {
    this.#inFlight -= 1;
    this.#sums.inFlight(-1);
    if (activity) this.active();
  }

  /** Counts a held request. `unhold` must follow exactly once. */
  hold(): void {
    this.#held += 1;
    this.#sums.held(1);
    this.active();
  }

  unhold(): void {
    this.#held -= 1;
    this.#sums.held(-1);
    this.active();
  }

  /** A new request came, whatever becomes of it. */
  arrived(): void {
    this.#requests += 1;
  }

  /** Something happened that counts as use. */
  active(): void {
    this.#activeAt = this.#clock.monotonic();
    this.#everActive = true;
  }

  /** A request in flight is an open stream from now on, until the mark is given back. */
  openStream(): StreamMark {
    const mark = { movedAt: this.#clock.monotonic() };
    this.#streams.add(mark);
    return mark;
  }

  closeStream(mark: StreamMark): void {
    this.#streams.delete(mark);
  }

  /** Requests in flight that count as use: all but streams that were silent for this long (0: streams always count). */
  busy(streamIdleAfterMs: Milliseconds): number {
    if (streamIdleAfterMs === 0 || this.#streams.size === 0) return this.#inFlight;
    const silentSince = this.#clock.monotonic() - streamIdleAfterMs;
    let silent = 0;
    for (const mark of this.#streams) if (mark.movedAt <= silentSince) silent += 1;
    return this.#inFlight - silent;
  }

  /** Time since the last activity, in ms; since this book was opened where there was none. */
  idleForMs(streamIdleAfterMs: Milliseconds): Milliseconds {
    return this.#held > 0 || this.busy(streamIdleAfterMs) > 0 ? 0 : this.#clock.monotonic() - this.#activeAt;
  }

  /** Epoch ms of the last activity; undefined where there was none. */
  lastActivityAt(streamIdleAfterMs: Milliseconds): number | undefined {
    return this.#everActive ? this.#clock.now() - this.idleForMs(streamIdleAfterMs) : undefined;
  }
}
