import type { Milliseconds, ResourceActivity } from "@dormouse/core";

/** What the DLXs report at one moment: each process's resources by printed ref. */
export type ReportedTotals = ReadonlyMap<string, ReadonlyMap<string, Pick<ResourceActivity, "requests">>>;

interface Snapshot {
  /** Monotonic ms. */
  readonly at: Milliseconds;
  /** Totals since each process started. */
  readonly totals: ReportedTotals;
}

/**
 * Requests within a window, from totals that only rise. Two snapshots are kept, so that the older one is at least a window
 * old and mostly less than two: the count is never too low, and memory does not grow with time.
 */
export class RequestCounts {
  readonly #windowMs: Milliseconds;
  #base: Snapshot = { at: 0, totals: new Map() };
  #next: Snapshot | undefined;

  /** @param windowMs the window that is counted over */
  constructor(windowMs: Milliseconds) {
    this.#windowMs = windowMs;
  }

  /** Takes in what the DLXs report now. @returns the requests within the window, by printed ref */
  take(totals: ReportedTotals, now: Milliseconds): (key: string) => number {
    if (this.#next !== undefined && now - this.#next.at >= this.#windowMs) this.#base = this.#next;
    if (this.#next === undefined || this.#base === this.#next) this.#next = { at: now, totals };
    const base = this.#base.totals;
    return (key) => {
      let sum = 0;
      for (const [process, resources] of totals) sum += increase(resources.get(key), base.get(process)?.get(key));
      return sum;
    };
  }
}

type Total = Pick<ResourceActivity, "requests"> | undefined;

/** A total that fell began anew, as when a DLX let go of a resource and met it again. */
function increase(total: Total, since: Total): number {
  const requests = total?.requests ?? 0;
  const before = since?.requests ?? 0;
  return requests >= before ? requests - before : requests;
}
