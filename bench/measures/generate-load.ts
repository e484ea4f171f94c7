/** So many requests over so many connections, each of which sends the next once it has its answer. */
export interface LoadOrder {
  readonly url: string;
  /** The Host header. */
  readonly host: string;
  readonly connections: number;
  readonly amount: number;
}

export interface LoadResult {
  readonly answered: number;
  readonly failed: number;
  /** From the first request to the last answer. */
  readonly tookMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}
