import type { Clock, Milliseconds } from "@dormouse/core";
import { toThrottledError } from "./aci-error.ts";

/** What a bucket holds, and how fast it fills again. */
export interface TokenBucketOptions {
  readonly clock: Clock;
  /** Tokens of a full bucket. */
  readonly burst: number;
  readonly perSecond: number;
}

/** How one token is asked for. */
export interface TakeOptions {
  readonly signal?: AbortSignal | undefined;
  /** Somebody waits for the answer. Others leave a part of the bucket to these. */
  readonly isUrgent: boolean;
}

/** Whoever would have to wait longer is told so at once: a call of the host has ten seconds. */
const longestUrgentWaitMs: Milliseconds = 5_000;

/** Part of the bucket that is left to urgent requests. */
const reservedPart = 0.2;

/**
 * Keeps requests within a rate, on the client's side. Nothing queues here: each token has its moment, and the one who
 * asked waits for it. An aborted wait gives no token back, so that the rate holds in any case.
 */
export class TokenBucket {
  readonly #options: TokenBucketOptions;
  /** May be below zero: so many tokens are promised already. */
  #tokens: number;
  #countedAt: Milliseconds;
  #pausedUntil: Milliseconds = 0;

  constructor(options: TokenBucketOptions) {
    this.#options = options;
    this.#tokens = options.burst;
    this.#countedAt = options.clock.monotonic();
  }

  /** Resolves when one request may be sent. Rejects with `SCALER_RATE_LIMITED` where an urgent one would wait too long, or with the signal's reason. */
  async take({ signal, isUrgent }: TakeOptions): Promise<void> {
    signal?.throwIfAborted();
    if (isUrgent) return this.#takeUrgently(signal);
    const reserve = Math.min(this.#options.burst * reservedPart, this.#options.burst - 1);
    for (let waitMs = this.#waitFor(reserve + 1); waitMs > 0; waitMs = this.#waitFor(reserve + 1))
      await this.#options.clock.sleep(waitMs, signal);
    this.#tokens -= 1;
  }

  /** The platform has refused a request for its rate: nothing is sent for so long. */
  pause(ms: Milliseconds): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, this.#options.clock.monotonic() + ms);
  }

  /** The platform says how many requests it would still take; others use the same limit. */
  limitTo(remaining: number): void {
    this.#fill();
    this.#tokens = Math.min(this.#tokens, remaining);
  }

  async #takeUrgently(signal: AbortSignal | undefined): Promise<void> {
    const waitMs = this.#waitFor(1);
    if (waitMs > longestUrgentWaitMs) throw toThrottledError(waitMs);
    this.#tokens -= 1;
    if (waitMs > 0) await this.#options.clock.sleep(waitMs, signal);
  }

  #waitFor(tokens: number): Milliseconds {
    this.#fill();
    const missing = Math.max(0, tokens - this.#tokens);
    const pauseMs = this.#pausedUntil - this.#options.clock.monotonic();
    return Math.max(0, pauseMs, Math.ceil((missing / this.#options.perSecond) * 1_000));
  }

  #fill(): void {
    const { clock, burst, perSecond } = this.#options;
    const now = clock.monotonic();
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#countedAt) / 1_000) * perSecond);
    this.#countedAt = now;
  }
}
