import type { Meter, ObservableGauge } from "@opentelemetry/api";
import type { CatalogEntry, ResourceCatalog } from "@dormouse/core";
import { metricFacts } from "./metric-table.ts";
import { otherResource } from "./series-limit.ts";

/** What a DLX counts for one resource now. */
export interface Traffic {
  readonly held: number;
  readonly inFlight: number;
  /** Since the process started. */
  readonly requests: number;
}

/** What the gauges are read from. */
export interface ObservedHost {
  readonly catalog: () => ResourceCatalog;
  readonly scalers: () => readonly string[];
  /** Of the host's own DLX; left out: it has none. @param key printed ref */
  readonly traffic?: (key: string) => Traffic;
  /** Whether the host's autoscaler may decide; left out: it has none. */
  readonly leads?: () => boolean;
  readonly maxSeries: () => number;
  /** Whether the file on disk is one that was refused. */
  readonly isConfigRefused: () => boolean;
}

type Observe = (gauge: ObservableGauge, value: number, attributes?: Readonly<Record<string, string>>) => void;

/** Registers the gauges of a host; each reading of the metrics asks for them. */
export function observeHost(meter: Meter, host: ObservedHost): void {
  const gauge = (name: string): ObservableGauge =>
    meter.createObservableGauge(name, { description: metricFacts(name).meaning });
  const perResource: PerResource = {
    ...(host.traffic !== undefined && {
      held: gauge("dormouse_dlx_held"),
      inFlight: gauge("dormouse_dlx_in_flight"),
    }),
    state: gauge("dormouse_resource_state"),
    replicas: gauge("dormouse_resource_replicas"),
  };
  const busiest = new Busiest();
  meter.addBatchObservableCallback(
    (result) => {
      const observe: Observe = (one, value, attributes) => result.observe(one, value, attributes);
      observeResources(observe, perResource, busiest.split(host), host);
    },
    Object.values<ObservableGauge>({ ...perResource }),
  );
  const listed = gauge("dormouse_scaler_listed");
  listed.addCallback((result) => {
    const catalog = host.catalog();
    const unlisted = new Set(catalog.unlisted().map(({ scaler }) => scaler));
    for (const scaler of host.scalers()) {
      const works = !unlisted.has(scaler) && catalog.failureOf(scaler) === undefined;
      result.observe(works ? 1 : 0, { scaler });
    }
  });
  const { leads } = host;
  if (leads !== undefined) gauge("dormouse_autoscaler_leads").addCallback((result) => result.observe(leads() ? 1 : 0));
  gauge("dormouse_config_refused").addCallback((result) => result.observe(host.isConfigRefused() ? 1 : 0));
  observeProcess(meter);
}

function observeProcess(meter: Meter): void {
  const options = (name: string): { description: string } => ({ description: metricFacts(name).meaning });
  meter
    .createObservableCounter("process_cpu_seconds_total", options("process_cpu_seconds_total"))
    .addCallback((result) => {
      const { user, system } = process.cpuUsage();
      result.observe((user + system) / 1e6);
    });
  meter
    .createObservableGauge("process_resident_memory_bytes", options("process_resident_memory_bytes"))
    .addCallback((result) => result.observe(process.memoryUsage.rss()));
  meter
    .createObservableGauge("process_start_time_seconds", options("process_start_time_seconds"))
    .addCallback((result) => result.observe(performance.timeOrigin / 1_000));
}

const noTraffic = (): Traffic => ({ held: 0, inFlight: 0, requests: 0 });

interface Split {
  readonly own: readonly CatalogEntry[];
  readonly others: readonly CatalogEntry[];
}

/** Chooses the resources with series of their own: those with the most to do now, then with the most requests since the last reading. */
class Busiest {
  #lastRequests = new Map<string, number>();

  split({ catalog, traffic = noTraffic, maxSeries }: ObservedHost): Split {
    const entries = catalog().list();
    const requests = new Map(entries.map(({ key }) => [key, traffic(key).requests]));
    const last = this.#lastRequests;
    this.#lastRequests = requests;
    if (entries.length <= maxSeries()) return { own: entries, others: [] };
    const ranked = entries
      .map((entry) => ({ entry, rank: rankOf(traffic(entry.key), last.get(entry.key) ?? 0) }))
      .toSorted(
        (one, other) =>
          other.rank.now - one.rank.now || other.rank.lately - one.rank.lately || other.rank.ever - one.rank.ever,
      )
      .map(({ entry }) => entry);
    return { own: ranked.slice(0, maxSeries()), others: ranked.slice(maxSeries()) };
  }
}

function rankOf({ held, inFlight, requests }: Traffic, before: number): { now: number; lately: number; ever: number } {
  return { now: held + inFlight, lately: requests - before, ever: requests };
}

interface PerResource extends Readonly<Partial<Record<"held" | "inFlight", ObservableGauge>>> {
  readonly state: ObservableGauge;
  readonly replicas: ObservableGauge;
}

function observeResources(observe: Observe, gauges: PerResource, { own, others }: Split, host: ObservedHost): void {
  for (const entry of own) {
    const resource = entry.key;
    observeTraffic(observe, gauges, [entry], { resource, host });
    observe(gauges.state, 1, { resource, state: entry.state.kind });
    observe(gauges.replicas, entry.resource.desired, { resource, kind: "desired" });
    observe(gauges.replicas, entry.resource.ready, { resource, kind: "ready" });
  }
  if (others.length > 0) observeOthers(observe, gauges, others, host);
}

function observeOthers(
  observe: Observe,
  gauges: PerResource,
  others: readonly CatalogEntry[],
  host: ObservedHost,
): void {
  const resource = otherResource;
  observeTraffic(observe, gauges, others, { resource, host });
  const desired = sumOf(others, (entry) => entry.resource.desired);
  observe(gauges.replicas, desired, { resource, kind: "desired" });
  const ready = sumOf(others, (entry) => entry.resource.ready);
  observe(gauges.replicas, ready, { resource, kind: "ready" });
  for (const [state, entries] of Map.groupBy(others, (entry) => entry.state.kind))
    observe(gauges.state, entries.length, { resource, state });
}

/** What the entries have together, as one series. */
function observeTraffic(
  observe: Observe,
  { held, inFlight }: PerResource,
  entries: readonly CatalogEntry[],
  { resource, host: { traffic } }: { readonly resource: string; readonly host: ObservedHost },
): void {
  if (held === undefined || inFlight === undefined || traffic === undefined) return;
  const seen = entries.map(({ key }) => traffic(key));
  observe(
    held,
    sumOf(seen, (each) => each.held),
    { resource },
  );
  observe(
    inFlight,
    sumOf(seen, (each) => each.inFlight),
    { resource },
  );
}

function sumOf<Item>(items: readonly Item[], value: (item: Item) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}
