import { metrics as api } from "@opentelemetry/api";
import { emptyResource } from "@opentelemetry/resources";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Metrics, openMetrics } from "./open-metrics.ts";

let metrics: Metrics;

beforeEach(() => {
  metrics = openMetrics(emptyResource(), 2);
});

afterEach(() => metrics[Symbol.asyncDispose]());

async function read(name: string): Promise<readonly string[]> {
  return (await metrics.read()).split("\n").filter((line) => line.startsWith(name));
}

describe("metrics", () => {
  it("reach Prometheus' text format from the API that packages use", async () => {
    api
      .getMeter("@dormouse/autoscaler")
      .createCounter("dormouse_decisions_total", { description: "Decisions" })
      .add(2, { decision: "keep", reason: "asleep" });
    const text = await metrics.read();
    expect(text).toContain("# TYPE dormouse_decisions_total counter");
    expect(text).toContain('dormouse_decisions_total{decision="keep",reason="asleep"} 2');
  });

  it("have the buckets that their instruments advise", async () => {
    const seconds = api
      .getMeter("x")
      .createHistogram("dormouse_wake_seconds", { unit: "s", advice: { explicitBucketBoundaries: [0.5, 1] } });
    seconds.record(0.7, { resource: "a", phase: "total" });
    expect(await read("dormouse_wake_seconds_bucket")).toEqual([
      'dormouse_wake_seconds_bucket{resource="a",phase="total",le="0.5"} 0',
      'dormouse_wake_seconds_bucket{resource="a",phase="total",le="1"} 1',
      'dormouse_wake_seconds_bucket{resource="a",phase="total",le="+Inf"} 1',
    ]);
  });
});

describe("resources beyond the limit", () => {
  it("share one series of each counter, which adds up", async () => {
    const wakes = api.getMeter("x").createCounter("dormouse_wakes_total");
    for (const resource of ["a", "b", "c", "d", "c"]) wakes.add(1, { resource, outcome: "woken" });
    expect(await read("dormouse_wakes_total")).toEqual([
      'dormouse_wakes_total{resource="a",outcome="woken"} 1',
      'dormouse_wakes_total{resource="b",outcome="woken"} 1',
      'dormouse_wakes_total{resource="other",outcome="woken"} 3',
    ]);
  });

  it("add up too where counts are observed, and the same ones have series of their own", async () => {
    const meter = api.getMeter("x");
    meter.createHistogram("dormouse_dlx_request_seconds").record(1, { resource: "d" });
    meter.createObservableCounter("dormouse_dlx_requests_total").addCallback((result) => {
      for (const [index, resource] of ["a", "b", "c", "d"].entries())
        result.observe(index + 1, { resource, code: "200" });
    });
    expect(await read("dormouse_dlx_requests_total")).toEqual([
      'dormouse_dlx_requests_total{resource="a",code="200"} 1',
      'dormouse_dlx_requests_total{resource="other",code="200"} 5',
      'dormouse_dlx_requests_total{resource="d",code="200"} 4',
    ]);
  });

  it("stay where they are in later readings: no counter ever falls", async () => {
    const wakes = api.getMeter("x").createCounter("dormouse_wakes_total");
    for (const resource of ["a", "b", "c"]) wakes.add(1, { resource });
    await metrics.read();
    for (const resource of ["c", "c", "d"]) wakes.add(1, { resource });
    expect(await read('dormouse_wakes_total{resource="other"')).toEqual(['dormouse_wakes_total{resource="other"} 4']);
  });
});
