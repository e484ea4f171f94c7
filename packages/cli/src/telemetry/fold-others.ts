import { type DataPoint, DataPointType, type MetricData, type ResourceMetrics } from "@opentelemetry/sdk-metrics";
import type { Attributes } from "@opentelemetry/api";

/**
 * Adds up the points that have the same labels once those of surplus resources have become `other`. The SDK itself adds up
 * what is recorded, but of what is observed it keeps the last value only.
 *
 * @param relabel the labels under which a point is shown
 */
export function foldOthers(metrics: ResourceMetrics, relabel: (attributes: Attributes) => Attributes): ResourceMetrics {
  const scopeMetrics = metrics.scopeMetrics.map((scope) => ({
    ...scope,
    metrics: scope.metrics.map((metric) => foldMetric(metric, relabel)),
  }));
  return { ...metrics, scopeMetrics };
}

function foldMetric(metric: MetricData, relabel: (attributes: Attributes) => Attributes): MetricData {
  if (metric.dataPointType !== DataPointType.SUM) return metric;
  const folded = new Map<string, DataPoint<number>>();
  for (const point of metric.dataPoints) {
    const attributes = relabel(point.attributes);
    const key = JSON.stringify(attributes);
    const known = folded.get(key);
    folded.set(key, { ...point, attributes, value: point.value + (known?.value ?? 0) });
  }
  return { ...metric, dataPoints: [...folded.values()] };
}
