import { ResourceCatalog, ScalerError, silentLogger } from "@dormouse/core";
import { FakeClock, openMemoryScaler } from "@dormouse/core/testing";
import { emptyResource } from "@opentelemetry/resources";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { observeHost, type Traffic } from "./observe-host.ts";
import { type Metrics, openMetrics } from "./open-metrics.ts";

let metrics: Metrics;
let catalog: ResourceCatalog;
let traffic: Record<string, Traffic>;

beforeEach(async () => {
  const clock = new FakeClock();
  traffic = {};
  catalog = new ResourceCatalog({ clock, logger: silentLogger });
  const resources = ["a", "b", "c", "d"].map((name, index) => ({ name, desired: index }));
  const { guarded } = await openMemoryScaler({ clock, resources }, "m");
  const away = await openMemoryScaler({ clock }, "away");
  away.memory.beforeCall = () => {
    throw new ScalerError("SCALER_UNAVAILABLE", "not there");
  };
  catalog.follow(guarded);
  catalog.follow(away.guarded);
  await vi.waitUntil(() => catalog.list().length === 4);
  metrics = openMetrics(emptyResource(), 2);
  observeHost(metrics.meter, {
    catalog: () => catalog,
    scalers: () => ["m", "away"],
    traffic: (key) => traffic[key] ?? { held: 0, inFlight: 0, requests: 0 },
    maxSeries: () => 2,
    isConfigRefused: () => true,
  });
});

afterEach(async () => {
  await metrics[Symbol.asyncDispose]();
  await catalog[Symbol.asyncDispose]();
});

async function read(name: string): Promise<readonly string[]> {
  return (await metrics.read()).split("\n").filter((line) => line.startsWith(name));
}

it("shows the busiest resources apart and the rest as one, with sums", async () => {
  traffic = {
    "m/default/b": { held: 5, inFlight: 0, requests: 5 },
    "m/default/d": { held: 0, inFlight: 1, requests: 1 },
    "m/default/a": { held: 0, inFlight: 0, requests: 99 },
  };
  expect(await read("dormouse_dlx_held")).toEqual([
    'dormouse_dlx_held{resource="m/default/b"} 5',
    'dormouse_dlx_held{resource="m/default/d"} 0',
    'dormouse_dlx_held{resource="other"} 0',
  ]);
  expect(await read("dormouse_resource_replicas")).toContain(
    'dormouse_resource_replicas{resource="other",kind="desired"} 2',
  );
  expect(await read("dormouse_resource_state")).toEqual([
    'dormouse_resource_state{resource="m/default/b",state="awake"} 1',
    'dormouse_resource_state{resource="m/default/d",state="awake"} 1',
    'dormouse_resource_state{resource="other",state="asleep"} 1',
    'dormouse_resource_state{resource="other",state="awake"} 1',
  ]);
});

it("takes requests since the last reading for business where nothing is open now", async () => {
  traffic = { "m/default/a": { held: 0, inFlight: 0, requests: 99 } };
  await metrics.read();
  traffic = {
    ...traffic,
    "m/default/c": { held: 0, inFlight: 0, requests: 3 },
    "m/default/d": { held: 0, inFlight: 0, requests: 2 },
  };
  expect((await read("dormouse_dlx_in_flight")).map((line) => /"(.*)"/.exec(line)?.[1])).toEqual([
    "m/default/c",
    "m/default/d",
    "other",
  ]);
});

it("forgets a series that is not observed any more: a resource is in one state only", async () => {
  await metrics.read();
  traffic = {
    "m/default/a": { held: 1, inFlight: 0, requests: 1 },
    "m/default/b": { held: 1, inFlight: 0, requests: 1 },
  };
  expect(await read("dormouse_resource_state")).toHaveLength(3);
  catalog.beginOperation({ scaler: "m", namespace: "default", name: "a" }, "wake");
  expect(await read('dormouse_resource_state{resource="m/default/a"')).toEqual([
    'dormouse_resource_state{resource="m/default/a",state="waking"} 1',
  ]);
});

it("tells which scalers list, whether a configuration was refused, and what the process takes", async () => {
  expect(await read("dormouse_scaler_listed")).toEqual([
    'dormouse_scaler_listed{scaler="m"} 1',
    'dormouse_scaler_listed{scaler="away"} 0',
  ]);
  expect(await read("dormouse_config_refused")).toEqual(["dormouse_config_refused 1"]);
  const [cpu] = await read("process_cpu_seconds_total");
  expect(Number(cpu?.split(" ")[1])).toBeGreaterThan(0);
});
