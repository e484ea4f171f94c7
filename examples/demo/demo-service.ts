import type { ServiceClient } from "./service-client.ts";

/** What one exchange showed beside its right answer. */
export interface Exchange {
  /** What Dormouse said of it; undefined where nothing says so. */
  readonly coldStart: boolean | undefined;
}

/** A third-party server that knows nothing of Dormouse, and what the demo asks of it. */
export interface DemoService {
  /** Name of the resource; its host is `NAME.localhost`. */
  readonly name: string;
  /** The npm package it is. */
  readonly title: string;
  readonly port: number;
  readonly command: readonly string[];
  /** Exchanges in a row that measure its warm latency. */
  readonly warmExchanges: number;
  /** Path for a person to try. */
  readonly sample: string;
  /** Path that answers 200 once it can serve; left out: a connection is enough. */
  readonly readiness?: string;
  /** One request or conversation with an id of its own. Rejects where the answer is any but the service's own to this id. */
  exchange(client: ServiceClient, id: string, signal: AbortSignal): Promise<Exchange>;
}
