import type { Clock, Milliseconds } from "@dormouse/core";
import type { Context, Tracer } from "@opentelemetry/api";

/** How long each phase of an operation took, in ms and in the order of their first beginning. A phase that runs again adds up. */
export class Phases {
  readonly #clock: Clock;
  readonly #startedAt: Milliseconds;
  readonly #took = new Map<string, Milliseconds>();
  #trace: { readonly tracer: Tracer; readonly context: Context } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startedAt = clock.monotonic();
  }

  /** Time since the operation began, in ms. */
  get tookMs(): Milliseconds {
    return this.#clock.monotonic() - this.#startedAt;
  }

  /** Gives every later phase a span in this context. */
  traceIn(tracer: Tracer, context: Context): void {
    this.#trace = { tracer, context };
  }

  async time<Result>(phase: string, work: () => Promise<Result>): Promise<Result> {
    const begin = this.#clock.monotonic();
    const span = this.#trace?.tracer.startSpan(`wake.${phase}`, {}, this.#trace.context);
    try {
      return await work();
    } finally {
      span?.end();
      this.#took.set(phase, (this.#took.get(phase) ?? 0) + this.#clock.monotonic() - begin);
    }
  }

  toRecord(): Readonly<Record<string, Milliseconds>> {
    return Object.fromEntries(this.#took);
  }
}
