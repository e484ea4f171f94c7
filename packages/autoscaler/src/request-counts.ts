import type { ActivityReport, Milliseconds } from "@dormouse/core";

interface Snapshot {
  /** Monotonic ms. */
  readonly at: Milliseconds;
  /** Totals since each process started, by process and resource. */
  readonly totals: ReadonlyMap<string, number>;
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
  take(reports: readonly ActivityReport[], now: Milliseconds): (key: string) => number {
    const totals = totalsOf(reports);
    if (this.#next !== undefined && now - this.#next.at >= this.#windowMs) this.#base = this.#next;
    if (this.#next === undefined || this.#base === this.#next) this.#next = { at: now, totals };
    const base = this.#base.totals;
    const processes = reports.map((report) => report.process);
    return (key) => processes.reduce((sum, process) => sum + increase(totals, base, countKey(process, key)), 0);
  }
}

/** A total that fell began anew, as when a DLX let go of a resource and met it again. */
function increase(totals: ReadonlyMap<string, number>, base: ReadonlyMap<string, number>, key: string): number {
  const total = totals.get(key) ?? 0;
  const since = base.get(key) ?? 0;
  return total >= since ? total - since : total;
}

function totalsOf(reports: readonly ActivityReport[]): ReadonlyMap<string, number> {
  const totals = new Map<string, number>();
  for (const { process, resources } of reports) {
    for (const { ref, requests } of resources) totals.set(countKey(process, ref), requests);
  }
  return totals;
}

function countKey(process: string, key: string): string {
  return `${process} ${key}`;
}
