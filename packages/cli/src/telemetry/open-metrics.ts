import { type Meter, metrics } from "@opentelemetry/api";
import type { PrometheusSerializer } from "@opentelemetry/exporter-prometheus";
import type { Resource } from "@opentelemetry/resources";
import { MeterProvider, type ViewOptions } from "@opentelemetry/sdk-metrics";
import { foldOthers } from "./fold-others.ts";
import { metricTable } from "./metric-table.ts";
import { OnDemandReader } from "./on-demand-reader.ts";
import { SeriesLimit } from "./series-limit.ts";

export interface Metrics extends AsyncDisposable {
  readonly meter: Meter;
  /** Everything measured, in Prometheus' text format (https://prometheus.io/docs/instrumenting/exposition_formats/). */
  read(): Promise<string>;
}

/**
 * Makes the OpenTelemetry API of all packages count. Must come before anything that is measured is opened: instruments
 * that were made before stay silent.
 *
 * @param maxSeries resources with series of their own
 */
export function openMetrics(resource: Resource, maxSeries: number): Metrics {
  const reader = new OnDemandReader();
  const limit = new SeriesLimit(maxSeries);
  const provider = new MeterProvider({ resource, readers: [reader], views: viewsFor(limit, maxSeries) });
  metrics.setGlobalMeterProvider(provider);
  return {
    meter: provider.getMeter("@dormouse/cli"),
    read: async () => {
      const [{ resourceMetrics }, serializer] = await Promise.all([reader.collect(), openSerializer()]);
      return serializer.serialize(foldOthers(resourceMetrics, (attributes) => limit.process(attributes)));
    },
    [Symbol.asyncDispose]: async () => {
      metrics.disable();
      await provider.shutdown();
    },
  };
}

let serializer: Promise<PrometheusSerializer> | undefined;

/** Loaded with the first reading, which a start should not wait for. Without the exporter's own server. */
function openSerializer(): Promise<PrometheusSerializer> {
  serializer ??= import("@opentelemetry/exporter-prometheus").then(
    (exporter) => new exporter.PrometheusSerializer(undefined, false, undefined, false, true),
  );
  return serializer;
}

/** One view for each metric. Buckets are the instruments' own advice, in seconds. What is observed is limited when it is read. */
function viewsFor(limit: SeriesLimit, maxSeries: number): ViewOptions[] {
  return metricTable.map(({ name, seriesPerResource, isObserved }) => ({
    instrumentName: name,
    ...(isObserved !== true && { attributesProcessors: [limit] }),
    aggregationCardinalityLimit: (isObserved === true ? mostObservedSeries : maxSeries + 1) * seriesPerResource + 1_000,
  }));
}

/** Of instruments that keep their own counts, which bound the resources themselves. */
const mostObservedSeries = 10_001;
