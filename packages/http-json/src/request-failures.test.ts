import { type Counter, metrics, type MeterProvider } from "@opentelemetry/api";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RequestFailures } from "./request-failures.ts";

const counts = new Map<string, number>();

beforeEach(() => {
  counts.clear();
  const counter = (name: string): Partial<Counter> => ({
    add: (value, { method, endpoint } = {}) => {
      const series = `${name} ${String(method)} ${String(endpoint)}`;
      counts.set(series, (counts.get(series) ?? 0) + value);
    },
  });
  metrics.setGlobalMeterProvider({ getMeter: () => ({ createCounter: counter }) } as unknown as MeterProvider);
});

afterEach(() => metrics.disable());

const at = (path: string): URL => new URL(path, "http://app:8123");

describe("failed requests", () => {
  it("are counted by method and path, without host and query, from 0 on where they are expected", () => {
    const failures = new RequestFailures();
    failures.expect({ method: "GET", url: at("/app/status?key=secret") });
    failures.expect({ method: "PUT", url: at("/app/replicas") });
    failures.count({ method: "PUT", url: at("/app/replicas") });
    failures.count({ method: "PUT", url: at("/app/replicas") });
    expect([...counts]).toEqual([
      ["requests_failures_total get /app/status", 0],
      ["requests_failures_total put /app/replicas", 2],
    ]);
  });

  it("share one series once there are a hundred, and those keep theirs", () => {
    const failures = new RequestFailures();
    for (let index = 0; index < 150; index += 1) failures.count({ method: "GET", url: at(`/app-${String(index)}`) });
    failures.count({ method: "GET", url: at("/app-0") });
    expect(counts.size).toBe(101);
    expect(counts.get("requests_failures_total get other")).toBe(50);
    expect(counts.get("requests_failures_total get /app-0")).toBe(2);
  });
});
