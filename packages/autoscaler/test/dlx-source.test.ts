import type { ActivityReport, DlxPeer, MetricsSource, PeerDiscovery, ResourceActivity } from "@dormouse/core";
import { openPort, silentLogger } from "@dormouse/core";
import { FakeClock } from "@dormouse/core/testing";
import { beforeEach, describe, expect, it } from "vitest";
import { createDlxSource, dlxMetrics } from "../src/index.ts";

const web = { scaler: "local", namespace: "default", name: "web" };
const quiet: ResourceActivity = { ref: "local/default/web", inFlight: 0, held: 0, idleForMs: 60_000, requests: 4 };

let reports: ActivityReport[];
let clock: FakeClock;
let source: MetricsSource;

function report(process: string, activity?: Partial<ResourceActivity>): ActivityReport {
  return {
    process,
    startedAt: 0,
    uptimeMs: 120_000,
    resources: activity === undefined ? [] : [{ ...quiet, ...activity }],
  };
}

const peers: PeerDiscovery = {
  listPeers: async () =>
    reports.map((report): DlxPeer => ({
      id: report.process,
      readActivity: async () => report,
      fence: () => Promise.reject(new Error("not asked")),
    })),
  [Symbol.asyncDispose]: async () => {},
};

async function read(metric: string, windowMs = 30_000): Promise<number | undefined> {
  const samples = await source.read({ metric, windowMs, resources: [web] });
  expect(samples.map(({ ageMs }) => ageMs)).toEqual([0]);
  return samples[0]?.value;
}

beforeEach(async () => {
  clock = new FakeClock();
  reports = [report("a", {}), report("b", {})];
  source = await openPort(createDlxSource(peers), undefined, { id: "dlx", logger: silentLogger, clock });
});

describe("the metrics source dlx", () => {
  it("says that it sees only what passes a DLX", () => {
    expect(source.dlxOnly).toBe(true);
  });

  it("adds up what all DLXs have in flight and hold", async () => {
    reports = [report("a", { inFlight: 2, held: 1 }), report("b", { inFlight: 3 })];
    expect(await read("in_flight")).toBe(5);
    expect(await read("held")).toBe(1);
  });

  it("is active where any DLX was within the window", async () => {
    expect(await read("active", 60_000)).toBe(0);
    expect(await read("active", 60_001)).toBe(1);
    reports = [report("a", {}), report("b", { inFlight: 1 })];
    expect(await read("active")).toBe(1);
    reports = [report("a", {}), report("b", { held: 1 })];
    expect(await read("active")).toBe(1);
  });

  it("takes a DLX that was never asked for the resource for active until it has run for a window", async () => {
    reports = [report("a")];
    expect(await read("active", 120_000)).toBe(0);
    expect(await read("active", 120_001)).toBe(1);
    expect(await read("requests")).toBe(0);
  });

  it("counts requests within the window", async () => {
    expect(await read("requests")).toBe(8);
    await clock.advance(30_000);
    reports = [report("a", { requests: 5 }), report("b", {})];
    expect(await read("requests")).toBe(1);
    expect(await read("requests", 5_000)).toBe(9);
  });

  it("keeps counts of a hundred windows at most", async () => {
    await read("requests", 1_000);
    for (let windowMs = 2_000; windowMs < 2_150; windowMs += 1) await read("requests", windowMs);
    await clock.advance(10_000);
    expect(await read("requests", 1_000)).toBe(8);
    expect(await read("requests", 2_149)).toBe(0);
  });

  it("is unknown as a whole where one DLX does not answer, or there is none", async () => {
    reports = [];
    await expect(read("held")).rejects.toMatchObject({ code: "SCALER_UNAVAILABLE" });
    const failing: PeerDiscovery = {
      ...peers,
      listPeers: async () => [
        {
          id: "a",
          readActivity: () => Promise.reject(new Error("gone")),
          fence: () => Promise.reject(new Error("no")),
        },
      ],
    };
    source = await openPort(createDlxSource(failing), {}, { id: "dlx", logger: silentLogger, clock });
    await expect(read("held")).rejects.toThrow("gone");
  });

  it("names its metrics where it is asked for another, and refuses options", async () => {
    await expect(read("latency")).rejects.toThrow(`it has ${dlxMetrics.join(", ")}`);
    const context = { id: "dlx", logger: silentLogger, clock };
    await expect(openPort(createDlxSource(peers), { every: 1 }, context)).rejects.toThrow("every");
  });
});
