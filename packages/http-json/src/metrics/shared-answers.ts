import { type Clock, type Milliseconds, ScalerError, toScalerError } from "@dormouse/core";

/** What came of one request. */
export interface SharedAnswer {
  readonly document: unknown;
  /** Monotonic ms at which it had come. */
  readonly at: Milliseconds;
}

interface Entry {
  readonly answer: Promise<SharedAnswer>;
  /** Monotonic ms at which it had come; left out while it is under way. */
  at?: Milliseconds;
}

/** How often old answers are looked for. */
const pruneEveryMs: Milliseconds = 5_000;

/** Answers by what was asked, each shared by whoever asks while it is under way or young. A failure is shared no longer than it is under way. */
export class SharedAnswers {
  readonly #clock: Clock;
  readonly #maxAgeMs: Milliseconds;
  readonly #entries = new Map<string, Entry>();
  #prunedAt: Milliseconds = 0;

  constructor(clock: Clock, maxAgeMs: Milliseconds) {
    this.#clock = clock;
    this.#maxAgeMs = maxAgeMs;
  }

  /**
   * The answer to one question. The signal ends the caller's waiting, and not the request: others may wait for it.
   * @param ask is called where there is no answer that is young enough
   */
  async get(key: string, ask: () => Promise<unknown>, signal: AbortSignal | undefined): Promise<SharedAnswer> {
    const now = this.#clock.monotonic();
    this.#prune(now);
    const known = this.#entries.get(key);
    const entry = known !== undefined && this.#isYoung(known, now) ? known : this.#ask(key, ask);
    return orAborted(entry.answer, signal);
  }

  #ask(key: string, ask: () => Promise<unknown>): Entry {
    const entry: Entry = {
      answer: ask().then(
        (document) => {
          entry.at = this.#clock.monotonic();
          return { document, at: entry.at };
        },
        (error: unknown) => {
          this.#entries.delete(key);
          throw toScalerError(error);
        },
      ),
    };
    this.#entries.set(key, entry);
    return entry;
  }

  #isYoung({ at }: Entry, now: Milliseconds): boolean {
    return at === undefined || now - at < this.#maxAgeMs;
  }

  /** Forgets, now and then, what nobody would be answered with. */
  #prune(now: Milliseconds): void {
    if (now - this.#prunedAt < pruneEveryMs) return;
    this.#prunedAt = now;
    for (const [key, entry] of this.#entries) if (!this.#isYoung(entry, now)) this.#entries.delete(key);
  }
}

async function orAborted<Result>(promise: Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void =>
    reject(new ScalerError("SCALER_ABORTED", "the query was given up", { cause: signal?.reason }));
  if (signal?.aborted === true) onAbort();
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}
