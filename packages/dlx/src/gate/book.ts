import type { Clock, Milliseconds } from "@dormouse/core";

/** Sums over all books of a process; only books write them. */
export interface Totals {
  held: number;
  inFlight: number;
}

/** The stream part of a request in flight: when its last byte moved. */
export interface StreamMark {
  movedAt: Milliseconds;
}

/**
 * What a DLX counts for one resource: the licence, requests in flight, requests held, and the last activity. Every count
 * is changed here and nowhere else, each step synchronous, so that check and count cannot come apart.
 */
export class Book {
  readonly #clock: Clock;
  readonly #totals: Totals;
  readonly #streams = new Set<StreamMark>();
  #licensed = false;
  #fences = 0;
  #inFlight = 0;
  #held = 0;
  #activeAt: Milliseconds;
  #everActive = false;
  #requests = 0;

  constructor(clock: Clock, totals: Totals) {
    this.#clock = clock;
    this.#totals = totals;
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
    this.#totals.inFlight += 1;
    if (activity) this.active();
    return true;
  }

  leave(activity: boolean): void {
    this.#inFlight -= 1;
    this.#totals.inFlight -= 1;
    if (activity) this.active();
  }

  /** Counts a held request. `unhold` must follow exactly once. */
  hold(): void {
    this.#held += 1;
    this.#totals.held += 1;
    this.active();
  }

  unhold(): void {
    this.#held -= 1;
    this.#totals.held -= 1;
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
