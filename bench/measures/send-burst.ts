/** So many requests at once, each over a connection of its own. */
export interface BurstOrder {
  readonly origin: string;
  /** The Host header. */
  readonly host: string;
  readonly count: number;
}

export interface BurstResult {
  /** Answers that were the service's own to just that request. */
  readonly answered: number;
  /** What came instead, with how often. */
  readonly problems: readonly string[];
}
