/** A length of time in milliseconds. */
export type Milliseconds = number;

/** A timer that has not fired yet. */
export interface Timer {
  /** Takes the timer back; nothing happens if it has fired. */
  cancel(): void;
}

/** Where time comes from. Only `system-clock.ts` knows the machine's. */
export interface Clock {
  /** Wall-clock time in epoch ms; may jump. For display and for comparison with a platform's own times. */
  now(): number;
  /** Milliseconds since some fixed moment; never goes back. For every duration and deadline. */
  monotonic(): Milliseconds;
  /** Calls back once after so many ms (0: soon), never earlier by `monotonic`. The timer does not keep the process alive if `unref`. */
  setTimer(afterMs: Milliseconds, callback: () => void, options?: { readonly unref?: boolean }): Timer;
  /** Resolves after so many ms; rejects with the signal's reason once it aborts, and leaves no timer behind. */
  sleep(ms: Milliseconds, signal?: AbortSignal): Promise<void>;
}
