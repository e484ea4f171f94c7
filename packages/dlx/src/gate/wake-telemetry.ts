import { type Counter, type Histogram, metrics, ROOT_CONTEXT, SpanStatusCode, trace } from "@opentelemetry/api";
import { toScalerError } from "@dormouse/core";
import type { Phases } from "./phases.ts";
import type { WakeReason } from "./waker.ts";

/** Buckets in seconds, from an awake resource's claim to a container that pulls its image. */
const boundaries = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];

interface Instruments {
  readonly wakeSeconds: Histogram;
  readonly wakes: Counter;
}

let known: Instruments | undefined;

/** Made at the first wake: a meter that is asked for before the host has set its provider stays silent for ever. */
function instruments(): Instruments {
  known ??= createInstruments();
  return known;
}

function createInstruments(): Instruments {
  const meter = metrics.getMeter("@dormouse/dlx");
  return {
    wakeSeconds: meter.createHistogram("dormouse_wake_seconds", {
      description: "Time of each phase of a wake; phase total is the whole",
      unit: "s",
      advice: { explicitBucketBoundaries: boundaries },
    }),
    wakes: meter.createCounter("dormouse_wakes_total", {
      description: "Wakes by outcome: woken, or the code of the failure",
    }),
  };
}

/** Runs a wake in a span of the trace that asked for it, a child span for each phase, and counts it. */
export async function traceWake<Result>(
  resource: string,
  reason: WakeReason,
  phases: Phases,
  work: () => Promise<Result>,
): Promise<Result> {
  const tracer = trace.getTracer("@dormouse/dlx");
  const span = tracer.startSpan(
    "wake",
    { attributes: { "dormouse.resource": resource, "dormouse.by": reason.by } },
    reason.trace ?? ROOT_CONTEXT,
  );
  phases.traceIn(tracer, trace.setSpan(reason.trace ?? ROOT_CONTEXT, span));
  try {
    const result = await work();
    instruments().wakes.add(1, { resource, outcome: "woken" });
    return result;
  } catch (error) {
    const { code, message } = toScalerError(error);
    span.setStatus({ code: SpanStatusCode.ERROR, message });
    instruments().wakes.add(1, { resource, outcome: code });
    throw error;
  } finally {
    const { wakeSeconds } = instruments();
    for (const [phase, tookMs] of Object.entries(phases.toRecord()))
      wakeSeconds.record(tookMs / 1_000, { resource, phase });
    wakeSeconds.record(phases.tookMs / 1_000, { resource, phase: "total" });
    span.end();
  }
}
