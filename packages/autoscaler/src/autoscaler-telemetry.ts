import { metrics, SpanStatusCode, trace } from "@opentelemetry/api";
import type { Milliseconds, ScaleEvent } from "@dormouse/core";
import type { Decision } from "./decision.ts";
import type { TargetDecision } from "./target-decision.ts";

const scope = "@dormouse/autoscaler";

/** In seconds; a DLX that does not answer makes a tick last for two. */
const tickBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** The autoscaler's counters and spans. Instruments come from the OpenTelemetry API as it is when this is made. */
export class AutoscalerTelemetry {
  readonly #tracer = trace.getTracer(scope);
  readonly #meter = metrics.getMeter(scope);
  readonly #heartbeat = this.#meter.createCounter("dormouse_autoscaler_heartbeat_total", {
    description: "Ticks that went through, as the leader or not",
  });
  /** The same under the name by which dashboards of other autoscalers of the ScaleIt protocol look for it. */
  readonly #plainHeartbeat = this.#meter.createCounter("autoscaler_heartbeat_total", {
    description: "Ticks that went through; the same as dormouse_autoscaler_heartbeat_total",
  });
  readonly #ticks = this.#meter.createHistogram("dormouse_autoscaler_tick_seconds", {
    description: "How long ticks took, from reading to the last order",
    unit: "s",
    advice: { explicitBucketBoundaries: tickBuckets },
  });
  readonly #decisions = this.#meter.createCounter("dormouse_decisions_total", {
    description: "Decisions by their result and reason",
  });
  readonly #sleeps = this.#meter.createCounter("dormouse_sleeps_total", {
    description: "Attempts to put a resource to sleep by their outcome",
  });
  readonly #scales = this.#meter.createCounter("dormouse_scales_total", {
    description: "Attempts of a target to change a count of replicas by their direction and outcome",
  });

  /** An attempt of a target to change a count ended. */
  countScale(resource: string, direction: "up" | "down", outcome: ScaleEvent["outcome"]): void {
    this.#scales.add(1, { resource, direction, outcome });
  }

  /** One tick went through. @param tookMs how long it took */
  countTick(tookMs: Milliseconds): void {
    this.#heartbeat.add(1);
    this.#plainHeartbeat.add(1);
    this.#ticks.record(tookMs / 1_000);
  }

  /** The decisions of one tick. */
  countDecisions(decisions: Iterable<Decision | TargetDecision>): void {
    const counts = new Map<string, { readonly decision: Decision | TargetDecision; count: number }>();
    for (const decision of decisions) {
      const found = counts.get(decision.reason);
      if (found === undefined) counts.set(decision.reason, { decision, count: 1 });
      else found.count += 1;
    }
    for (const { decision, count } of counts.values()) {
      this.#decisions.add(count, { decision: decision.kind, reason: decision.reason });
    }
  }

  /** Runs an attempt to sleep within a span and counts its outcome. @param stepped is told to call back with each step's name */
  async traceSleep(
    resource: string,
    by: string,
    attempt: (onStep: (step: string) => void) => Promise<ScaleEvent>,
  ): Promise<ScaleEvent> {
    const attributes = { "dormouse.resource": resource, "dormouse.by": by };
    return this.#tracer.startActiveSpan("dormouse.sleep", { attributes }, async (span) => {
      try {
        const event = await attempt((step) => span.addEvent(step));
        span.setAttributes({ "dormouse.outcome": event.outcome, "dormouse.reason": event.reason });
        if (event.outcome === "failed") span.setStatus({ code: SpanStatusCode.ERROR, message: event.reason });
        this.#sleeps.add(1, { resource, outcome: event.outcome });
        return event;
      } finally {
        span.end();
      }
    });
  }
}
