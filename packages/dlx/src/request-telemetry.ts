import type { Milliseconds } from "@dormouse/core";
import { type Histogram, metrics, type ObservableCounter, type ObservableResult } from "@opentelemetry/api";
import type { RequestRecorder } from "./exchange/request-recorder.ts";

/** Buckets in seconds, from a warm answer of a fast service to a hold of a minute. */
const boundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];

/** Resources whose requests are counted apart; what is asked for beyond them is counted as `other`. */
const mostResources = 10_000;

/**
 * Counts requests in plain maps that a metrics reader looks at when it reads, so that a request pays for no more than
 * an addition and one histogram record.
 */
export class RequestTelemetry implements RequestRecorder, Disposable {
  readonly #counts = new Map<string, Map<number, number>>();
  readonly #attributes = new Map<string, { readonly resource: string }>();
  readonly #seconds: Histogram;
  readonly #total: ObservableCounter;
  readonly #observe = (result: ObservableResult): void => {
    for (const [resource, codes] of this.#counts) {
      for (const [code, count] of codes) result.observe(count, { resource, code: String(code) });
    }
  };

  constructor() {
    const meter = metrics.getMeter("@dormouse/dlx");
    this.#seconds = meter.createHistogram("dormouse_dlx_request_seconds", {
      description: "Time from a request's arrival to the end of its answer, held time included",
      unit: "s",
      advice: { explicitBucketBoundaries: boundaries },
    });
    this.#total = meter.createObservableCounter("dormouse_dlx_requests_total", {
      description: "Requests by resource and status; resource is empty where no route matched",
    });
    this.#total.addCallback(this.#observe);
  }

  record(key: string, status: number, durationMs: Milliseconds): void {
    const resource = this.#counts.has(key) || this.#counts.size < mostResources ? key : "other";
    const codes = this.#counts.get(resource) ?? this.#open(resource);
    codes.set(status, (codes.get(status) ?? 0) + 1);
    this.#seconds.record(durationMs / 1_000, this.#attributes.get(resource));
  }

  [Symbol.dispose](): void {
    this.#total.removeCallback(this.#observe);
  }

  #open(resource: string): Map<number, number> {
    const codes = new Map<number, number>();
    this.#counts.set(resource, codes);
    this.#attributes.set(resource, { resource });
    return codes;
  }
}
