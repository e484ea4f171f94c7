import type { Milliseconds } from "./clock.ts";
import type { CallOptions } from "./resource-scaler.ts";
import type { ResourceRef } from "./resource-ref.ts";

/** One metric over one window, for all resources that ask for just that. */
export interface MetricQuery {
  readonly metric: string;
  readonly windowMs: Milliseconds;
  readonly resources: readonly ResourceRef[];
}

/** One number, in the metric's base unit (seconds, bytes, requests), as a float. */
export interface MetricSample {
  readonly ref: ResourceRef;
  readonly value: number;
  /** How old the newest measurement behind the value is, in ms; undefined where the source cannot tell. */
  readonly ageMs?: Milliseconds;
}

/**
 * Where numbers about resources come from. `read` takes one query and answers with what it found: a resource without
 * a sample is unknown, which never counts as idle. It rejects as a whole where the source cannot be asked; the caller
 * isolates one query's failure from the next.
 */
export interface MetricsSource extends AsyncDisposable {
  /** True where the source sees only what passes a DLX: no evidence about traffic that goes straight to a resource. */
  readonly dlxOnly?: boolean;
  read(query: MetricQuery, options?: CallOptions): Promise<readonly MetricSample[]>;
}
