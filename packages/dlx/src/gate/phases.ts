import type { Clock, Milliseconds } from "@dormouse/core";
import { type Context, context, trace, type Tracer } from "@opentelemetry/api";

/** What is over sooner did not wait for anything. */
const shortestWaitMs = 2;

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

  time<Result>(phase: string, work: () => Promise<Result>): Promise<Result> {
    return this.#time(phase, work, 0);
  }

  /** The same for what mostly waits for nothing: a wait too short to be one is no phase. */
  timeIfAny<Result>(phase: string, work: () => Promise<Result>): Promise<Result> {
    return this.#time(phase, work, shortestWaitMs);
  }

  async #time<Result>(phase: string, work: () => Promise<Result>, leastMs: Milliseconds): Promise<Result> {
    const begin = this.#clock.monotonic();
    const parent = this.#trace;
    const span = parent?.tracer.startSpan(`wake.${phase}`, {}, parent.context);
    try {
      return await (parent === undefined || span === undefined
        ? work()
        : context.with(trace.setSpan(parent.context, span), work));
    } finally {
      const tookMs = this.#clock.monotonic() - begin;
      if (tookMs >= leastMs) {
        this.#took.set(phase, (this.#took.get(phase) ?? 0) + tookMs);
        span?.end();
      }
    }
  }

  toRecord(): Readonly<Record<string, Milliseconds>> {
    return Object.fromEntries(this.#took);
  }
}
