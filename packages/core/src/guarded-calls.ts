import { context, type Histogram, metrics, type Span, SpanStatusCode, trace, type Tracer } from "@opentelemetry/api";
import type { Clock, Milliseconds } from "./clock.ts";
import { isConfigError } from "./config-error.ts";
import { isScalerError, ScalerError } from "./scaler-error.ts";

/** Upper bounds in seconds: a call to a local process takes about 1 ms, one to a cloud up to the deadline. */
const bucketsSeconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export interface GuardedCallsOptions {
  /** Id of the scaler. */
  readonly id: string;
  readonly clock: Clock;
  readonly timeoutMs: Milliseconds;
}

export interface GuardedCall {
  /** Name of the method, for messages, the span and the metric. */
  readonly name: string;
  /** Printed for the span. */
  readonly resource?: string;
  /** The caller's. */
  readonly signal?: AbortSignal | undefined;
  /** Left out: the deadline of every call. */
  readonly timeoutMs?: Milliseconds;
}

/**
 * Runs the calls of one scaler: each has a deadline and ends promptly on abort, whether or not the plugin heeds its
 * signal; each is a span and a measurement. What it rejects with is a ScalerError. After `close` no call starts.
 *
 * Instruments come from the OpenTelemetry API as it is when this is made: a host sets its SDK up first.
 */
export class GuardedCalls {
  readonly #options: GuardedCallsOptions;
  readonly #tracer: Tracer;
  readonly #histogram: Histogram;
  readonly #running = new Set<(reason: ScalerError) => void>();
  #closed = false;

  constructor(options: GuardedCallsOptions) {
    this.#options = options;
    this.#tracer = trace.getTracer("@dormouse/core");
    this.#histogram = metrics.getMeter("@dormouse/core").createHistogram("dormouse_scaler_call_seconds", {
      description: "How long calls to scaler plugins took",
      unit: "s",
      advice: { explicitBucketBoundaries: bucketsSeconds },
    });
  }

  /** Calls the plugin. @param work gets a signal that aborts with the call */
  async run<Result>(call: GuardedCall, work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    this.assertOpen(call);
    const measured = this.measure(call);
    try {
      const result = await context.with(measured.context, () => this.#race(call, work));
      measured.end("ok");
      return result;
    } catch (error) {
      const failure = this.toFailure(call.name, error);
      measured.end(failure.code, failure);
      throw failure;
    }
  }

  /** Starts the span and the measurement of a call that ends in its own way. Ending it twice counts once. */
  measure(call: GuardedCall): {
    readonly context: ReturnType<typeof context.active>;
    end(outcome: string, error?: Error): void;
  } {
    const { id, clock } = this.#options;
    const started = clock.monotonic();
    const span = this.#tracer.startSpan(`scaler.${call.name}`, {
      attributes: { "dormouse.scaler": id, ...(call.resource !== undefined && { "dormouse.resource": call.resource }) },
    });
    let ended = false;
    const end = (outcome: string, error?: Error): void => {
      if (ended) return;
      ended = true;
      this.#histogram.record((clock.monotonic() - started) / 1_000, { scaler: id, call: call.name, outcome });
      endSpan(span, outcome, error);
    };
    return { context: trace.setSpan(context.active(), span), end };
  }

  /**
   * What ends a call from outside: `onEnd` gets the reason once the caller's signal aborts or the scaler is closed.
   * @returns takes the listeners back
   */
  listenForEnd(call: GuardedCall, onEnd: (reason: ScalerError) => void): () => void {
    const { signal } = call;
    const onAbort = (): void => onEnd(this.abortedError(call));
    this.#running.add(onEnd);
    signal?.addEventListener("abort", onAbort, { once: true });
    return () => {
      this.#running.delete(onEnd);
      signal?.removeEventListener("abort", onAbort);
    };
  }

  /** Ends what runs with `SCALER_DISPOSED` and starts nothing any more. */
  close(): void {
    this.#closed = true;
    const reason = new ScalerError("SCALER_DISPOSED", `scaler "${this.#options.id}" has been closed`);
    for (const end of this.#running) end(reason);
  }

  abortedError({ name, signal }: GuardedCall): ScalerError {
    return new ScalerError("SCALER_ABORTED", `${name} of scaler "${this.#options.id}" was given up`, {
      cause: signal?.reason,
    });
  }

  timeoutError({ name, timeoutMs }: GuardedCall): ScalerError {
    const afterMs = timeoutMs ?? this.#options.timeoutMs;
    return new ScalerError(
      "SCALER_TIMEOUT",
      `${name} of scaler "${this.#options.id}" did not answer within ${afterMs} ms; its outcome is unknown`,
    );
  }

  /** What a plugin threw, as a ScalerError that says whose it is. */
  toFailure(name: string, error: unknown): ScalerError {
    if (isScalerError(error)) return error;
    const message = error instanceof Error ? error.message : String(error);
    const code = isConfigError(error) ? "CONFIG_INVALID" : "SCALER_INTERNAL";
    return new ScalerError(code, `${name} of scaler "${this.#options.id}" failed: ${message}`, { cause: error });
  }

  /** @throws ScalerError where the scaler is closed or the caller has given up already */
  assertOpen(call: GuardedCall): void {
    if (this.#closed) throw new ScalerError("SCALER_DISPOSED", `scaler "${this.#options.id}" has been closed`);
    if (call.signal?.aborted === true) throw this.abortedError(call);
  }

  async #race<Result>(call: GuardedCall, work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    const abort = new AbortController();
    const end = (reason: ScalerError): void => {
      reject(reason);
      abort.abort(reason);
    };
    const stopListening = this.listenForEnd(call, end);
    const timer = this.#options.clock.setTimer(call.timeoutMs ?? this.#options.timeoutMs, () =>
      end(this.timeoutError(call)),
    );
    try {
      Promise.resolve(work(abort.signal)).then(resolve, reject);
      return await promise;
    } finally {
      timer.cancel();
      stopListening();
    }
  }
}

function endSpan(span: Span, outcome: string, error: Error | undefined): void {
  span.setAttribute("dormouse.outcome", outcome);
  if (error !== undefined) {
    span.recordException(error);
    span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
  }
  span.end();
}
