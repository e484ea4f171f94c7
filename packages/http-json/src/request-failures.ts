import { metrics } from "@opentelemetry/api";
import type { HttpMethod } from "./http-call.ts";

/** Endpoints of one client with series of their own; further ones share `other`. */
const mostEndpoints = 100;

/** What a request is counted under. */
type Counted = { readonly method: HttpMethod; readonly url: URL };

/**
 * Counts requests that failed, each try of them, as `requests_failures_total` by method and path. Instruments come from the
 * OpenTelemetry API as it is when this is made.
 */
export class RequestFailures {
  readonly #counter = metrics.getMeter("@dormouse/http-json").createCounter("requests_failures_total", {
    description: "Requests to HTTP APIs that failed, each try of them",
  });
  readonly #endpoints = new Set<string>();

  /** Shows the series of a request that will be made, at 0, so that its first failure is an increase. */
  expect(request: Counted): void {
    this.#counter.add(0, this.#attributesOf(request));
  }

  /** One try failed. */
  count(request: Counted): void {
    this.#counter.add(1, this.#attributesOf(request));
  }

  #attributesOf({ method, url }: Counted): { readonly method: string; readonly endpoint: string } {
    return { method: method.toLowerCase(), endpoint: this.#endpointOf(url) };
  }

  /** Paths hold names of resources at times, so their number has a bound here. */
  #endpointOf({ pathname }: URL): string {
    if (this.#endpoints.has(pathname)) return pathname;
    if (this.#endpoints.size >= mostEndpoints) return "other";
    this.#endpoints.add(pathname);
    return pathname;
  }
}
