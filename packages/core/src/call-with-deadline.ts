import type { Clock, Milliseconds } from "./clock.ts";
import { ScalerError } from "./scaler-error.ts";

/** What a call has: where its time comes from, how long it may take, and what ends it before. */
export interface DeadlineOptions {
  readonly clock: Clock;
  readonly afterMs: Milliseconds;
  readonly signal?: AbortSignal | undefined;
  /** What is called, for the message. */
  readonly what: string;
}

/**
 * Ends a call on time whether or not it heeds its signal. Rejects with `SCALER_TIMEOUT` past the deadline, with
 * `SCALER_ABORTED` once the signal aborts, else with what the call rejects with.
 */
export async function callWithDeadline<Result>(
  { clock, afterMs, signal, what }: DeadlineOptions,
  call: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const { promise, resolve, reject } = Promise.withResolvers<Result>();
  const abort = new AbortController();
  const end = (reason: ScalerError): void => {
    reject(reason);
    abort.abort(reason);
  };
  const onAbort = (): void => end(new ScalerError("SCALER_ABORTED", `${what} was given up`, { cause: signal?.reason }));
  if (signal?.aborted === true) onAbort();
  signal?.addEventListener("abort", onAbort, { once: true });
  const timer = clock.setTimer(afterMs, () =>
    end(new ScalerError("SCALER_TIMEOUT", `${what} did not answer within ${String(afterMs)} ms`)),
  );
  try {
    if (!abort.signal.aborted) startCall(call, abort.signal, resolve, reject);
    return await promise;
  } finally {
    timer.cancel();
    signal?.removeEventListener("abort", onAbort);
  }
}

/** A call that throws at once counts as one that rejects. */
function startCall<Result>(
  call: (signal: AbortSignal) => Promise<Result>,
  signal: AbortSignal,
  resolve: (result: Result) => void,
  reject: (reason: unknown) => void,
): void {
  try {
    call(signal).then(resolve, reject);
  } catch (error) {
    reject(error);
  }
}
