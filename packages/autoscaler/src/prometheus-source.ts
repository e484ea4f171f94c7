import { readFile } from "node:fs/promises";
import {
  callWithDeadline,
  type CallOptions,
  type Clock,
  definePort,
  type MetricQuery,
  type MetricSample,
  type MetricsSource,
  type Milliseconds,
  type PortPlugin,
  type ResourceRef,
  ScalerError,
} from "@dormouse/core";
import type { PrometheusClient, PrometheusSample } from "./prometheus-client.ts";
import {
  type PrometheusMetric,
  type PrometheusOptions,
  prometheusOptionsSchema,
  unitFactor,
} from "./prometheus-options.ts";
import { partLabel, toQueryText } from "./prometheus-query-text.ts";

/** The metrics source `prometheus`: instant queries over a Prometheus HTTP API (https://prometheus.io/docs/prometheus/latest/querying/api/). */
export const prometheusSource: PortPlugin<"metricsSource", PrometheusOptions> = definePort("metricsSource", {
  name: "prometheus",
  options: prometheusOptionsSchema,
  create: async (options, { clock }) => {
    // Its HTTP library is large, and most hosts start without this source.
    const { PrometheusClient } = await import("./prometheus-client.ts");
    const client = new PrometheusClient(options, await readAuthorities(options.tls.ca));
    return new PrometheusSource(options, client, clock);
  },
});

/** PEM text as it is given or as its file holds it. @throws ScalerError where the file cannot be read */
async function readAuthorities(ca: PrometheusOptions["tls"]["ca"]): Promise<string | undefined> {
  if (ca === undefined || typeof ca === "string") return ca;
  return readFile(ca.file, "utf8").catch((cause: unknown) => {
    throw new ScalerError("SCALER_BAD_OPTIONS", `tls.ca.file ${ca.file} cannot be read: ${String(cause)}`, { cause });
  });
}

class PrometheusSource implements MetricsSource {
  readonly #options: PrometheusOptions;
  readonly #clock: Clock;
  readonly #client: PrometheusClient;
  readonly #life = new AbortController();

  constructor(options: PrometheusOptions, client: PrometheusClient, clock: Clock) {
    this.#options = options;
    this.#client = client;
    this.#clock = clock;
  }

  async read(query: MetricQuery, { signal }: CallOptions = {}): Promise<readonly MetricSample[]> {
    const metric = this.#metric(query.metric);
    const either = signal === undefined ? this.#life.signal : AbortSignal.any([this.#life.signal, signal]);
    const deadline = {
      clock: this.#clock,
      signal: either,
      afterMs: this.#options.timeout,
      what: `Prometheus at ${this.#options.url}`,
    };
    const samples = await callWithDeadline(deadline, (signal) =>
      this.#client.query(toQueryText(metric, query), signal),
    );
    return toMetricSamples(samples, metric, query.resources);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#life.abort();
    this.#client[Symbol.dispose]();
  }

  #metric(name: string): PrometheusMetric {
    const { metrics } = this.#options;
    const metric = Object.hasOwn(metrics, name) ? metrics[name] : undefined;
    if (metric !== undefined) return metric;
    throw new ScalerError(
      "SCALER_BAD_ARGUMENT",
      `the source has no metric "${name}"; it has ${Object.keys(metrics).join(", ")}`,
    );
  }
}

/** Values with their ages, for the resources they belong to. What belongs to none is left out. */
function toMetricSamples(
  samples: readonly PrometheusSample[],
  metric: PrometheusMetric,
  resources: readonly ResourceRef[],
): readonly MetricSample[] {
  const find = finder(metric, resources);
  const ages = oldestAges(
    samples.filter((sample) => isAge(sample)),
    find,
  );
  const factor = unitFactor(metric.unit);
  return samples
    .filter((sample) => !isAge(sample))
    .flatMap(({ labels, value }) => find(labels).map((ref) => toMetricSample(ref, value * factor, metric, ages)));
}

/** Where ages are asked for, a value without one is of unknown age: infinitely old. */
function toMetricSample(
  ref: ResourceRef,
  value: number,
  { age }: PrometheusMetric,
  ages: ReadonlyMap<ResourceRef, Milliseconds>,
): MetricSample {
  return age === undefined ? { ref, value } : { ref, value, ageMs: ages.get(ref) ?? Infinity };
}

function isAge({ labels }: PrometheusSample): boolean {
  return labels[partLabel] === "age";
}

type Find = (labels: Readonly<Record<string, string>>) => readonly ResourceRef[];

function oldestAges(samples: readonly PrometheusSample[], find: Find): ReadonlyMap<ResourceRef, Milliseconds> {
  const ages = new Map<ResourceRef, Milliseconds>();
  for (const { labels, value } of samples) {
    // Clocks of Prometheus and its targets may differ a little; younger than now is now.
    const ageMs = Number.isNaN(value) ? Infinity : Math.max(0, value * 1_000);
    for (const ref of find(labels)) ages.set(ref, Math.max(ages.get(ref) ?? 0, ageMs));
  }
  return ages;
}

/** A series without the namespace label belongs to a resource only where all that are asked for share one namespace. */
function finder({ label, namespaceLabel }: PrometheusMetric, resources: readonly ResourceRef[]): Find {
  const known = new Map<string, ResourceRef[]>();
  for (const ref of resources) {
    const key = `${ref.namespace}/${ref.name}`;
    const same = known.get(key);
    if (same === undefined) known.set(key, [ref]);
    else same.push(ref);
  }
  const namespaces = new Set(resources.map((ref) => ref.namespace));
  const [only] = namespaces.size === 1 ? namespaces : [];
  return (labels) => {
    const namespace = labels[namespaceLabel] ?? only;
    const name = labels[label];
    return namespace === undefined || name === undefined ? [] : (known.get(`${namespace}/${name}`) ?? []);
  };
}
