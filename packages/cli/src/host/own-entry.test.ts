import { type DlxPeer, type PeerDiscovery, ScalerError, silentLogger } from "@dormouse/core";
import { FakeClock } from "@dormouse/core/testing";
import { afterEach, beforeEach, expect, it } from "vitest";
import { OwnEntry } from "./own-entry.ts";

const peer: DlxPeer = {
  id: "process-1",
  readActivity: () => Promise.reject(new Error("nobody asks")),
  fence: () => Promise.reject(new Error("nobody asks")),
};
const dlx = { process: "process-1", peer };

let clock: FakeClock;
let entries: OwnEntry[];
let list: () => Promise<readonly string[]>;

beforeEach(() => {
  clock = new FakeClock();
  entries = [];
  list = async () => [];
});

afterEach(async () => {
  for (const entry of entries) await entry[Symbol.asyncDispose]();
  expect(clock.pendingTimers).toBe(0);
});

function open(self?: string): OwnEntry {
  const peers: PeerDiscovery = {
    ...(self !== undefined && { self }),
    listPeers: async () => (await list()).map((id) => ({ ...peer, id })),
    [Symbol.asyncDispose]: async () => {},
  };
  const entry = new OwnEntry({ peers, clock, logger: silentLogger });
  entries.push(entry);
  return entry;
}

it("is listed once the list has the entry that the discovery calls its own, under whatever name", async () => {
  const entry = open("pod-a");
  entry.start(dlx);
  expect(entry.id).toBe("pod-a");
  await clock.advance(10_000);
  expect(entry.isListed).toBe(false);
  list = async () => ["pod-b", "process-1"];
  await clock.advance(10_000);
  expect(entry.isListed).toBe(false);
  list = async () => ["pod-b", "pod-a"];
  await clock.advance(10_000);
  expect(entry.isListed).toBe(true);
});

it("is its process where the discovery does not say which is its own", async () => {
  const entry = open();
  list = async () => ["process-1"];
  entry.start(dlx);
  await clock.advance(100);
  expect([entry.id, entry.isListed]).toEqual(["process-1", true]);
});

it("shows the DLX the whole list until it is in there, then needs no list any more", async () => {
  const entry = open("pod-a");
  const { asPeers } = entry;
  entry.start(dlx);
  list = async () => ["pod-b"];
  const ids = async () => (await asPeers.listPeers()).map(({ id }) => id);
  expect([asPeers.self, await ids()]).toEqual(["pod-a", ["pod-b"]]);
  list = async () => ["pod-b", "pod-a"];
  expect(await ids()).toEqual(["pod-b", "pod-a"]);
  list = async () => Promise.reject(new ScalerError("SCALER_UNAVAILABLE", "the platform is away"));
  expect([entry.isListed, await ids()]).toEqual([true, ["pod-a"]]);
});

it("looks again after a list that fails, and after one that never answers", async () => {
  const entry = open("pod-a");
  list = async () => Promise.reject(new ScalerError("SCALER_UNAVAILABLE", "the platform is away"));
  entry.start(dlx);
  await clock.advance(3_000);
  list = () => new Promise(() => {});
  await clock.advance(8_000);
  expect(entry.isListed).toBe(false);
  list = async () => ["pod-a"];
  await clock.advance(10_000);
  expect(entry.isListed).toBe(true);
});
