import {
  type ActivityReport,
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
    const metric = toMetric(query.metric);
    const reports = await this.#reports(options);
    const activity = reports.map((report) => new Map(report.resources.map((each) => [each.ref, each])));
    const requests = metric === "requests" ? this.#requestsWithin(query.windowMs, reports) : undefined;
    return query.resources.map((ref) => {
      const key = formatRef(ref);
      const value =
        requests?.(key) ??
        valueOf(
          metric,
          query.windowMs,
          reports,
          activity.map((each) => each.get(key)),
        );
      return { ref, value, ageMs: 0 };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#counts.clear();
  }

  async #reports(options: CallOptions): Promise<readonly ActivityReport[]> {
    const peers = await this.#peers.listPeers(options);
    if (peers.length === 0) throw new ScalerError("SCALER_UNAVAILABLE", "there is no DLX to ask");
    return Promise.all(peers.map((peer) => peer.readActivity(options)));
  }

  #requestsWithin(windowMs: Milliseconds, reports: readonly ActivityReport[]): (key: string) => number {
    const counts = this.#counts.get(windowMs) ?? new RequestCounts(windowMs);
    // Set anew, so that the first of the map is the one that was not asked for longest.
    this.#counts.delete(windowMs);
    this.#counts.set(windowMs, counts);
    const [oldest] = this.#counts.keys();
    if (this.#counts.size > mostWindows && oldest !== undefined) this.#counts.delete(oldest);
    return counts.take(reports, this.#clock.monotonic());
  }
}

function toMetric(name: string): DlxMetric {
  const metric = dlxMetrics.find((known) => known === name);
  if (metric !== undefined) return metric;
  throw new ScalerError("SCALER_BAD_ARGUMENT", `the DLX has no metric "${name}"; it has ${dlxMetrics.join(", ")}`);
}

function valueOf(
  metric: DlxMetric,
  windowMs: Milliseconds,
  reports: readonly ActivityReport[],
  seen: readonly (ResourceActivity | undefined)[],
): number {
  if (metric === "in_flight") return sum(seen.map((each) => each?.inFlight ?? 0));
  if (metric === "held") return sum(seen.map((each) => each?.held ?? 0));
  const isActive = reports.some((report, index) => isActiveWithin(windowMs, report, seen[index]));
  return isActive ? 1 : 0;
}

/** A DLX that was never asked for the resource knows nothing of the time before its own start. */
function isActiveWithin(windowMs: Milliseconds, report: ActivityReport, seen: ResourceActivity | undefined): boolean {
  if (seen === undefined) return report.uptimeMs < windowMs;
  return seen.inFlight > 0 || seen.held > 0 || !(seen.idleForMs >= windowMs);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
