import { context, metrics, SpanStatusCode, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import {
  AggregationTemporality,
  type Histogram,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ScalerError } from "./scaler-error.ts";
import { openScripted, someResource } from "./testing/scripted-plugin.ts";

const web = { namespace: "default", name: "web" };
const spans = new InMemorySpanExporter();
const numbers = new InMemoryMetricExporter(AggregationTemporality.DELTA);
const reader = new PeriodicExportingMetricReader({ exporter: numbers, exportIntervalMillis: 3_600_000 });
const tracers = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: spans })] });
const meters = new MeterProvider({ readers: [reader] });

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(tracers);
  metrics.setGlobalMeterProvider(meters);
});

afterAll(async () => {
  await tracers.shutdown();
  await meters.shutdown();
  for (const api of [context, trace, metrics]) api.disable();
});

beforeEach(async () => {
  await reader.forceFlush();
  spans.reset();
  numbers.reset();
});

async function measurements() {
  await reader.forceFlush();
  const all = numbers.getMetrics().flatMap((each) => each.scopeMetrics.flatMap((scope) => scope.metrics));
  return all
    .filter((metric) => metric.descriptor.name === "dormouse_scaler_call_seconds")
    .flatMap((metric) =>
      metric.dataPoints.map((point) => ({
        ...point.attributes,
        ...(point.value as Histogram),
        unit: metric.descriptor.unit,
      })),
    );
}

describe("a guarded call", () => {
  it("is a measurement in seconds by scaler, call and outcome", async () => {
    const conflict = new ScalerError("SCALER_CONFLICT", "moved");
    const { guarded, clock } = await openScripted({
      getResource: async () => (await clock.sleep(30), someResource),
      setScale: () => Promise.reject(conflict),
    });
    const getting = guarded.getResource(web);
    await clock.advance(30);
    await getting;
    await expect(guarded.setScale(web, 1)).rejects.toBe(conflict);
    expect(await measurements()).toMatchObject([
      { scaler: "local", call: "create", outcome: "ok", count: 1, unit: "s" },
      { scaler: "local", call: "getResource", outcome: "ok", count: 1, sum: 0.03 },
      { scaler: "local", call: "setScale", outcome: "SCALER_CONFLICT", count: 1, sum: 0 },
    ]);
  });

  it("is counted in buckets from half a millisecond to the deadlines", async () => {
    const { guarded } = await openScripted({});
    await guarded.listResources();
    const { boundaries } = (await measurements())[0]!.buckets;
    expect(boundaries[0]).toBe(0.0005);
    expect(boundaries).toContain(10);
    expect(boundaries.at(-1)).toBe(60);
  });

  it("is a span with the resource and the outcome, and the parent of what the plugin does", async () => {
    const { guarded } = await openScripted({
      setScale: async () => {
        trace.getTracer("sdk").startSpan("HTTP PATCH").end();
        return { version: "v2" };
      },
    });
    spans.reset();
    await guarded.setScale(web, 1);
    const [inner, outer] = spans.getFinishedSpans();
    expect(outer).toMatchObject({
      name: "scaler.setScale",
      attributes: { "dormouse.scaler": "local", "dormouse.resource": "local/default/web", "dormouse.outcome": "ok" },
    });
    expect(inner?.parentSpanContext?.spanId).toBe(outer?.spanContext().spanId);
  });

  it("is a failed span with the error where it fails", async () => {
    const { guarded } = await openScripted({ getResource: () => Promise.reject(new Error("boom")) });
    spans.reset();
    await expect(guarded.getResource(web)).rejects.toThrow("boom");
    const [span] = spans.getFinishedSpans();
    expect(span).toMatchObject({
      status: { code: SpanStatusCode.ERROR },
      attributes: { "dormouse.outcome": "SCALER_INTERNAL" },
      events: [{ name: "exception" }],
    });
  });

  it("is measured once and ends its span also where it never answers", async () => {
    const { guarded, clock } = await openScripted({ listResources: () => new Promise(() => {}) });
    spans.reset();
    const calling = expect(guarded.listResources()).rejects.toMatchObject({ code: "SCALER_TIMEOUT" });
    await clock.advance(10_000);
    await calling;
    expect(spans.getFinishedSpans()).toHaveLength(1);
    expect((await measurements()).find((each) => "call" in each && each.call === "listResources")).toMatchObject({
      outcome: "SCALER_TIMEOUT",
      count: 1,
      sum: 10,
    });
  });
});

describe("a guarded watch", () => {
  it("is measured up to its snapshot", async () => {
    const { guarded, clock } = await openScripted(
      {
        watchResources: async function* () {
          await clock.sleep(20);
          yield { kind: "snapshot", resources: [] };
          await clock.sleep(5_000);
        },
      },
      { watch: true },
    );
    const reading = (async () => {
      for await (const _change of guarded.watchResources!()) continue;
    })();
    await clock.advance(6_000);
    await reading;
    const watched = (await measurements()).filter((each) => "call" in each && each.call === "watchResources");
    expect(watched).toMatchObject([{ outcome: "ok", count: 1, sum: 0.02 }]);
  });
});
