import { type Clock, type Milliseconds, ScalerError } from "@dormouse/core";

/** What a call has: where its time comes from, how long it may take, and what ends it before. */
export interface TimeLimit {
  readonly clock: Clock;
  readonly limitMs: Milliseconds;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs a call that ends on time whether or not it heeds its signal. Rejects with `SCALER_TIMEOUT` when its time is over,
 * with `SCALER_ABORTED` once the outer signal aborts.
 */
export async function callInTime<Result>(
  { clock, limitMs, signal }: TimeLimit,
  call: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const { promise, resolve, reject } = Promise.withResolvers<Result>();
  const abort = new AbortController();
  const end = (reason: ScalerError): void => {
    reject(reason);
    abort.abort(reason);
  };
  const onAbort = (): void => end(new ScalerError("SCALER_ABORTED", "it was given up", { cause: signal?.reason }));
  if (signal?.aborted === true) onAbort();
  signal?.addEventListener("abort", onAbort, { once: true });
  const late = `there was no answer within ${limitMs} ms`;
  const timer = clock.setTimer(limitMs, () => end(new ScalerError("SCALER_TIMEOUT", late)));
  try {
    if (!abort.signal.aborted) call(abort.signal).then(resolve, reject);
    return await promise;
  } finally {
    timer.cancel();
    signal?.removeEventListener("abort", onAbort);
  }
}
