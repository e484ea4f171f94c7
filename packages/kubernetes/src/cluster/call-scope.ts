import type { Clock, Milliseconds, ScalerError } from "@dormouse/core";

/** What ends a call before it ends by itself. */
export interface CallScopeOptions {
  readonly clock: Clock;
  /** Signals that give the call up, each with the error that the caller gets then. */
  readonly signals: readonly { readonly signal: AbortSignal | undefined; readonly error: () => ScalerError }[];
  readonly afterMs: Milliseconds;
  readonly late: () => ScalerError;
}

/** The time that one call has: a signal for what it starts, and a promise that rejects once it is over. */
export interface CallScope extends Disposable {
  readonly signal: AbortSignal;
  /** The promise's outcome, or the scope's end where that is first. */
  run<T>(promise: Promise<T>): Promise<T>;
  /** From now on only the signals count. */
  withoutDeadline(): void;
}

/** Opens a scope: it listens and counts until it is disposed. */
export function openCallScope({ clock, signals, afterMs, late }: CallScopeOptions): CallScope {
  const abort = new AbortController();
  const ended = Promise.withResolvers<never>();
  ended.promise.catch(() => {});
  const end = (error: ScalerError): void => {
    ended.reject(error);
    abort.abort(error);
  };
  const timer = clock.setTimer(afterMs, () => end(late()));
  const removals = signals.map(({ signal, error }) => {
    const onAbort = (): void => end(error());
    if (signal?.aborted === true) onAbort();
    signal?.addEventListener("abort", onAbort, { once: true });
    return () => signal?.removeEventListener("abort", onAbort);
  });
  return {
    signal: abort.signal,
    run: (promise) => Promise.race([promise, ended.promise]),
    withoutDeadline: () => timer.cancel(),
    [Symbol.dispose]: () => {
      timer.cancel();
      for (const remove of removals) remove();
    },
  };
}
