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

/** Answers by what was asked, each shared by whoever asks while it is under way or young. A failure is shared no longer than it is under way. */
export class SharedAnswers {
  readonly #clock: Clock;
  readonly #maxAgeMs: Milliseconds;
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock, maxAgeMs: Milliseconds) {
    this.#clock = clock;
    this.#maxAgeMs = maxAgeMs;
  }

  /**
   * The answer to one question. The signal ends the caller's waiting, and not the request: others may wait for it.
   * @param ask is called where there is no answer that is young enough
   */
  async get(key: string, ask: () => Promise<unknown>, signal: AbortSignal | undefined): Promise<SharedAnswer> {
    this.#forgetOld();
    const entry = this.#entries.get(key) ?? this.#ask(key, ask);
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

  #forgetOld(): void {
    const now = this.#clock.monotonic();
    for (const [key, { at }] of this.#entries)
      if (at !== undefined && now - at >= this.#maxAgeMs) this.#entries.delete(key);
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
