import type { Clock, Milliseconds, Timer } from "@dormouse/core";

/** How a shared call is asked for. */
export interface SharedCallOptions {
  /** How long the call may wait for others to join it, in ms; 0: it begins at once. */
  readonly afterMs: Milliseconds;
  readonly isUrgent: boolean;
  readonly signal?: AbortSignal | undefined;
}

interface Pending<Result> {
  readonly promise: Promise<Result>;
  readonly settle: (result: Promise<Result>) => void;
  readonly abort: AbortController;
  timer: Timer | undefined;
  callers: number;
  isUrgent: boolean;
  hasBegun: boolean;
}

/**
 * One call for all who ask before it begins. Whoever asks later gets a later one, so that no answer is older than its
 * question. It is aborted when its last caller has left.
 */
export class SharedCall<Result> {
  readonly #clock: Clock;
  readonly #work: (signal: AbortSignal, isUrgent: boolean) => Promise<Result>;
  #pending: Pending<Result> | undefined;

  constructor(clock: Clock, work: (signal: AbortSignal, isUrgent: boolean) => Promise<Result>) {
    this.#clock = clock;
    this.#work = work;
  }

  /** Rejects with what the call rejects with, or with the signal's reason. */
  async call({ afterMs, isUrgent, signal }: SharedCallOptions): Promise<Result> {
    signal?.throwIfAborted();
    const pending = (this.#pending ??= this.#prepare());
    pending.isUrgent ||= isUrgent;
    if (afterMs <= 0) queueMicrotask(() => this.#begin(pending));
    else pending.timer ??= this.#clock.setTimer(afterMs, () => this.#begin(pending), { unref: true });
    pending.callers += 1;
    try {
      return await untilAborted(pending.promise, signal);
    } finally {
      pending.callers -= 1;
      if (pending.callers === 0) this.#drop(pending);
    }
  }

  #prepare(): Pending<Result> {
    const { promise, resolve } = Promise.withResolvers<Result>();
    promise.catch(() => {}); // All its callers may have left.
    const abort = new AbortController();
    return { promise, settle: resolve, abort, timer: undefined, callers: 0, isUrgent: false, hasBegun: false };
  }

  #begin(pending: Pending<Result>): void {
    if (pending.hasBegun || pending.callers === 0) return;
    pending.hasBegun = true;
    pending.timer?.cancel();
    if (this.#pending === pending) this.#pending = undefined;
    pending.settle(this.#work(pending.abort.signal, pending.isUrgent));
  }

  #drop(pending: Pending<Result>): void {
    pending.timer?.cancel();
    if (this.#pending === pending) this.#pending = undefined;
    pending.abort.abort();
  }
}

/** The work's outcome, or the signal's reason as soon as it aborts. */
export function untilAborted<Result>(work: Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
  if (signal === undefined) return work;
  const { promise, resolve, reject } = Promise.withResolvers<Result>();
  const onAbort = (): void => reject(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  work.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  return promise;
}
