import { type Histogram, metrics, type ObservableCallback, type ObservableCounter } from "@opentelemetry/api";
import type { Milliseconds } from "@dormouse/core";
import type { RequestRecorder } from "./request-recorder.ts";

/** Buckets in seconds, from a warm request to a cold start that pulls an image. */
const boundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];

interface Counts {
  /** Attributes of the histogram, made once. */
  readonly warm: { readonly resource: string; readonly cold: "false" };
  readonly cold: { readonly resource: string; readonly cold: "true" };
  readonly byStatus: Map<number, number>;
  total: number;
}

interface Instruments {
  readonly seconds: Histogram;
  readonly requests: ObservableCounter;
}

/**
 * `dormouse_dlx_requests_total{resource,code}` and `dormouse_dlx_request_seconds{resource,cold}`. The counter costs a
 * request two additions: it is read when somebody collects, the busiest resources first.
 */
export class RequestMetrics implements RequestRecorder, Disposable {
  readonly #counts = new Map<string, Counts>();
  #instruments: Instruments | undefined;

  record(key: string, status: number, durationMs: Milliseconds, isCold: boolean): void {
    const counts = this.#counts.get(key) ?? this.#open(key);
    counts.total += 1;
    counts.byStatus.set(status, (counts.byStatus.get(status) ?? 0) + 1);
    // Made at the first request: a meter that is asked for before the host has set its provider stays silent for ever.
    this.#instruments ??= this.#create();
    this.#instruments.seconds.record(durationMs / 1_000, isCold ? counts.cold : counts.warm);
  }

  /** Forgets resources that are gone. @param isKnown by printed ref */
  forget(isKnown: (key: string) => boolean): void {
    for (const key of this.#counts.keys()) if (key !== "" && !isKnown(key)) this.#counts.delete(key);
  }

  [Symbol.dispose](): void {
    this.#instruments?.requests.removeCallback(this.#observe);
    this.#counts.clear();
  }

  readonly #observe: ObservableCallback = (result) => {
    const busiestFirst = [...this.#counts].sort(([, one], [, other]) => other.total - one.total);
    for (const [resource, { byStatus }] of busiestFirst) {
      for (const [status, count] of byStatus) result.observe(count, { resource, code: String(status) });
    }
  };

  #open(key: string): Counts {
    const counts: Counts = {
      warm: { resource: key, cold: "false" },
      cold: { resource: key, cold: "true" },
      byStatus: new Map(),
      total: 0,
    };
    this.#counts.set(key, counts);
    return counts;
  }

  #create(): Instruments {
    const meter = metrics.getMeter("@dormouse/dlx");
    const requests = meter.createObservableCounter("dormouse_dlx_requests_total", {
      description: "Requests by the status their caller got; 499: the caller left, 502 also: the answer was cut off",
    });
    requests.addCallback(this.#observe);
    const seconds = meter.createHistogram("dormouse_dlx_request_seconds", {
      description: "From a request's arrival to the end of its answer",
      unit: "s",
      advice: { explicitBucketBoundaries: boundaries },
    });
    return { requests, seconds };
  }
}
