import type { Clock, Milliseconds } from "@dormouse/core";

/** What a wait has: where its time comes from, how long it may be, and what ends it before. */
export interface Deadline {
  readonly clock: Clock;
  readonly limitMs: Milliseconds;
  readonly signal: AbortSignal;
  /** What the wait ends with when its time is over. */
  readonly late: string;
}

/** Runs something under a signal that aborts with the outer one, or with an Error once the time is over. */
export async function withDeadline<Result>(
  { clock, limitMs, signal, late }: Deadline,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const own = new AbortController();
  const onAbort = (): void => own.abort(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  const timer = clock.setTimer(limitMs, () => own.abort(new Error(late)));
  try {
    return await work(own.signal);
  } finally {
    timer.cancel();
    signal.removeEventListener("abort", onAbort);
  }
}
