import {
  type CallOptions,
  type Clock,
  definePort,
  formatRef,
  type MetricQuery,
  type MetricSample,
  type MetricsSource,
  type Milliseconds,
  type PeerDiscovery,
  type PortPlugin,
  type ResourceActivity,
  ScalerError,
} from "@dormouse/core";
import { z } from "zod";
import { byRef } from "./read-activity.ts";
import { RequestCounts } from "./request-counts.ts";

/**
 * Metrics of the source `dlx`: what all DLXs together count. They see only what passes a DLX.
 *
 * - `requests`: requests within the window, rounded up: counted from the last reading that is at least a window old.
 * - `active`: 1 where anything was in flight, held or moving within the window, else 0.
 * - `in_flight`, `held`: now.
 */
export const dlxMetrics = ["requests", "active", "in_flight", "held"] as const;

/** Windows whose requests are counted; beyond it the one that was not asked for longest begins anew. */
const mostWindows = 100;

type DlxMetric = (typeof dlxMetrics)[number];

/** The metrics source `dlx`, over the DLXs that a host knows. Takes no options. */
export function createDlxSource(peers: PeerDiscovery): PortPlugin<"metricsSource"> {
  return definePort("metricsSource", {
    name: "dlx",
    options: z.strictObject({}).prefault({}),
    create: async (_options, { clock }) => new DlxSource(peers, clock),
  });
}

/** Numbers from the DLXs' own activity reports. One unreachable DLX makes the whole unknown. */
class DlxSource implements MetricsSource {
  readonly dlxOnly = true;
  readonly #peers: PeerDiscovery;
  readonly #clock: Clock;
  readonly #counts = new Map<Milliseconds, RequestCounts>();

  constructor(peers: PeerDiscovery, clock: Clock) {
    this.#peers = peers;
    this.#clock = clock;
  }

  async read(query: MetricQuery, options: CallOptions = {}): Promise<readonly MetricSample[]> {
    const value = this.#valueOf(toMetric(query.metric), query.windowMs, await this.#seen(options));
    return query.resources.map((ref) => ({ ref, value: value(formatRef(ref)), ageMs: 0 }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#counts.clear();
  }

  async #seen(options: CallOptions): Promise<readonly SeenByDlx[]> {
    const peers = await this.#peers.listPeers(options);
    if (peers.length === 0) throw new ScalerError("SCALER_UNAVAILABLE", "there is no DLX to ask");
    const reports = await Promise.all(peers.map((peer) => peer.readActivity(options)));
    return reports.map((report) => ({
      process: report.process,
      uptimeMs: report.uptimeMs,
      resources: byRef(report.resources),
    }));
  }

  #valueOf(metric: DlxMetric, windowMs: Milliseconds, seen: readonly SeenByDlx[]): (key: string) => number {
    if (metric === "requests") return this.#requestsWithin(windowMs, seen);
    if (metric === "active") return (key) => (seen.some((dlx) => isActiveWithin(windowMs, dlx, key)) ? 1 : 0);
    const member = metric === "held" ? "held" : "inFlight";
    return (key) => seen.reduce((sum, { resources }) => sum + (resources.get(key)?.[member] ?? 0), 0);
  }

  #requestsWithin(windowMs: Milliseconds, seen: readonly SeenByDlx[]): (key: string) => number {
    const counts = this.#counts.get(windowMs) ?? new RequestCounts(windowMs);
    // Set anew, so that the first of the map is the one that was not asked for longest.
    this.#counts.delete(windowMs);
    this.#counts.set(windowMs, counts);
    const [oldest] = this.#counts.keys();
    if (this.#counts.size > mostWindows && oldest !== undefined) this.#counts.delete(oldest);
    return counts.take(new Map(seen.map(({ process, resources }) => [process, resources])), this.#clock.monotonic());
  }
}

interface SeenByDlx {
  readonly process: string;
  readonly uptimeMs: Milliseconds;
  readonly resources: ReadonlyMap<string, ResourceActivity>;
}

function toMetric(name: string): DlxMetric {
  const metric = dlxMetrics.find((known) => known === name);
  if (metric !== undefined) return metric;
  throw new ScalerError("SCALER_BAD_ARGUMENT", `the DLX has no metric "${name}"; it has ${dlxMetrics.join(", ")}`);
}

/** A DLX that was never asked for the resource knows nothing of the time before its own start. */
function isActiveWithin(windowMs: Milliseconds, { uptimeMs, resources }: SeenByDlx, key: string): boolean {
  const seen = resources.get(key);
  if (seen === undefined) return uptimeMs < windowMs;
  return seen.inFlight > 0 || seen.held > 0 || !(seen.idleForMs >= windowMs);
}
