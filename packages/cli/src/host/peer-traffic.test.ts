import {
  type ActivityReport,
  type DlxPeer,
  type PeerDiscovery,
  type ResourceActivity,
  ScalerError,
} from "@dormouse/core";
import { FakeClock } from "@dormouse/core/testing";
import { afterEach, beforeEach, expect, it } from "vitest";
import { PeerTraffic } from "./peer-traffic.ts";

let clock: FakeClock;
let peers: DlxPeer[];
let asked: number;
let list: PeerDiscovery["listPeers"];
let traffic: PeerTraffic;

beforeEach(() => {
  clock = new FakeClock();
  peers = [];
  asked = 0;
  list = async () => peers;
  const discovery: PeerDiscovery = { listPeers: () => list(), [Symbol.asyncDispose]: async () => {} };
  traffic = new PeerTraffic(discovery, clock);
});

afterEach(async () => {
  await traffic[Symbol.asyncDispose]();
  expect(clock.pendingTimers).toBe(0);
});

function dlx(id: string, read: () => Promise<ActivityReport>): DlxPeer {
  return {
    id,
    readActivity: () => {
      asked += 1;
      return read();
    },
    fence: () => Promise.reject(new Error("nobody asks")),
  };
}

function reporting(id: string, uptimeMs: number, ...resources: readonly ResourceActivity[]): DlxPeer {
  return dlx(id, async () => ({ process: id, startedAt: 0, uptimeMs, resources }));
}

const busy = { ref: "s/d/a", inFlight: 1, held: 2, idleForMs: 0, requests: 5, lastActivityAt: 900 };
const quiet = { ref: "s/d/a", inFlight: 0, held: 0, idleForMs: 4_000, requests: 7, lastActivityAt: 500 };

it("is the sum of all DLXs, and idle for as long as the one that was used last", async () => {
  peers = [reporting("a", 9_000, busy), reporting("b", 9_000, quiet)];
  await traffic.refresh();
  expect(traffic.status("s/d/a")).toMatchObject({
    held: 2,
    inFlight: 1,
    requests: 12,
    idleForMs: 0,
    lastActivityAt: 900,
  });
  expect(traffic.silent).toEqual([]);
});

it("knows nothing from before the start of a DLX that was never asked for the resource", async () => {
  peers = [reporting("a", 9_000, quiet), reporting("b", 1_000)];
  await traffic.refresh();
  expect(traffic.status("s/d/a").idleForMs).toBe(1_000);
  expect(traffic.status("s/d/other")).toMatchObject({ held: 0, idleForMs: 1_000 });
});

it("names DLXs that refuse or do not answer within a second, and counts the others", async () => {
  const refused = new ScalerError("SCALER_FORBIDDEN", "another token");
  peers = [reporting("a", 9_000, busy), dlx("b", () => Promise.reject(refused)), dlx("c", () => new Promise(() => {}))];
  const refreshed = traffic.refresh();
  await clock.advance(1_000);
  await refreshed;
  expect(traffic.silent).toEqual([
    { id: "b", code: "SCALER_FORBIDDEN" },
    { id: "c", code: "SCALER_TIMEOUT" },
  ]);
  expect(traffic.status("s/d/a").held).toBe(2);
});

it("says so where the DLXs cannot even be listed, and shows nothing old", async () => {
  peers = [reporting("a", 9_000, busy)];
  await traffic.refresh();
  list = () => Promise.reject(new ScalerError("SCALER_UNAVAILABLE", "the platform is away"));
  await clock.advance(1_000);
  await traffic.refresh();
  expect(traffic.silent).toEqual([{ id: "the list of DLXs", code: "SCALER_UNAVAILABLE" }]);
  expect(traffic.status("s/d/a").held).toBe(0);
});

it("asks once for all who look at the same time, and not again for what is fresh", async () => {
  peers = [reporting("a", 9_000, busy)];
  await Promise.all([traffic.refresh(), traffic.refresh()]);
  await traffic.refresh();
  expect(asked).toBe(1);
  await clock.advance(250);
  await traffic.refresh();
  expect(asked).toBe(2);
});
