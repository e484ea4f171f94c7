import type { Milliseconds } from "./clock.ts";

/** The first and the longest wait, in ms. */
export interface BackoffOptions {
  readonly firstMs: Milliseconds;
  readonly longestMs: Milliseconds;
  /** 0 to 1, exclusive; left out: `Math.random()`. */
  readonly random?: number;
}

/** Exponential wait before try number `attempt` (from 0), with full jitter in its upper half. */
export function backoffMs(attempt: number, options: BackoffOptions): Milliseconds {
  const whole = Math.min(options.longestMs, options.firstMs * 2 ** Math.min(attempt, 30));
  return whole / 2 + (whole / 2) * (options.random ?? Math.random());
}
