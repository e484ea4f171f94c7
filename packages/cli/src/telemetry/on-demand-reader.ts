import { AggregationTemporality, AggregationType, MetricReader } from "@opentelemetry/sdk-metrics";

/** Collects when it is asked to, and otherwise does nothing. Totals count from the start, as Prometheus expects. */
export class OnDemandReader extends MetricReader {
  constructor() {
    super({
      aggregationSelector: () => ({ type: AggregationType.DEFAULT }),
      aggregationTemporalitySelector: () => AggregationTemporality.CUMULATIVE,
    });
  }

  protected override async onForceFlush(): Promise<void> {
    // Nothing is kept back.
  }

  protected override async onShutdown(): Promise<void> {
    // Nothing is open.
  }
}
