import { context, propagation, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import type { Resource } from "@opentelemetry/resources";
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";

/** Spans that wait for the collector; further ones are dropped. */
const mostQueuedSpans = 4_096;
/** How long a request to the collector may take, in ms. */
const exportTimeoutMs = 10_000;
/** Time from a span's end to its export, in ms. */
const exportDelayMs = 1_000;

export interface TracingOptions {
  /** Base URL of an OTLP/HTTP collector; spans go to `v1/traces` below it. */
  readonly otlp: string;
  /** Share of traces without a caller's decision that are kept, 0 to 1. */
  readonly sampleRatio: number;
}

/** Makes the OpenTelemetry API of all packages trace, to a collector by OTLP/HTTP with JSON. Disposing sends what waits. */
export function openTracing(resource: Resource, { otlp, sampleRatio }: TracingOptions): AsyncDisposable {
  const exporter = new OTLPTraceExporter({
    url: `${otlp.replace(/\/+$/, "")}/v1/traces`,
    timeoutMillis: exportTimeoutMs,
  });
  const batch = new BatchSpanProcessor({
    exporter,
    maxQueueSize: mostQueuedSpans,
    maxExportBatchSize: 512,
    scheduledDelayMillis: exportDelayMs,
    exportTimeoutMillis: exportTimeoutMs,
  });
  const sampler = new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sampleRatio) });
  const provider = new TracerProvider({ resource, sampler, spanProcessors: [batch] });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(provider);
  return {
    [Symbol.asyncDispose]: async () => {
      trace.disable();
      propagation.disable();
      context.disable();
      await provider.shutdown();
    },
  };
}
