import { type Meter, metrics } from "@opentelemetry/api";
import { PrometheusExporter, PrometheusSerializer } from "@opentelemetry/exporter-prometheus";
import type { Resource } from "@opentelemetry/resources";
import { MeterProvider, type ViewOptions } from "@opentelemetry/sdk-metrics";
import { metricTable } from "./metric-table.ts";
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
  const exporter = new PrometheusExporter({ preventServerStart: true });
  const serializer = new PrometheusSerializer(undefined, false, undefined, false, true);
  const provider = new MeterProvider({ resource, readers: [exporter], views: viewsFor(maxSeries) });
  metrics.setGlobalMeterProvider(provider);
  return {
    meter: provider.getMeter("@dormouse/cli"),
    read: async () => {
      const { resourceMetrics } = await exporter.collect();
      return serializer.serialize(resourceMetrics);
    },
    [Symbol.asyncDispose]: async () => {
      metrics.disable();
      await provider.shutdown();
    },
  };
}

/** One view for each metric. Buckets are the instruments' own advice, in seconds. */
function viewsFor(maxSeries: number): ViewOptions[] {
  const limit = new SeriesLimit(maxSeries);
  return metricTable.map(({ name, seriesPerResource }) => ({
    instrumentName: name,
    attributesProcessors: [limit],
    aggregationCardinalityLimit: (maxSeries + 1) * seriesPerResource + 1_000,
  }));
}
