import { AggregationTemporality, AggregationType, InstrumentType, MetricReader } from "@opentelemetry/sdk-metrics";

/** Collects when it is asked to, and otherwise does nothing. */
export class OnDemandReader extends MetricReader {
  constructor() {
    super({
      aggregationSelector: () => ({ type: AggregationType.DEFAULT }),
      aggregationTemporalitySelector: temporalityOf,
    });
  }

  protected override async onForceFlush(): Promise<void> {
    // Nothing is kept back.
  }

  protected override async onShutdown(): Promise<void> {
    // Nothing is open.
  }
}

/** Totals count from the start, as Prometheus expects. Of a gauge the SDK would go on to report what was not observed again. */
function temporalityOf(type: InstrumentType): AggregationTemporality {
  return type === InstrumentType.OBSERVABLE_GAUGE ? AggregationTemporality.DELTA : AggregationTemporality.CUMULATIVE;
}
