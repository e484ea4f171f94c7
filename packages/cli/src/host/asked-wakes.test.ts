import { EventJournal, ResourceCatalog, type ScaleEvent, ScalerError, silentLogger, SleepGate } from "@dormouse/core";
import { FakeClock, type MemoryScaler, openMemoryScaler } from "@dormouse/core/testing";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { AskedWakes } from "./asked-wakes.ts";

const ref = { scaler: "memory", namespace: "default", name: "a" };
const order = { by: "operator", reason: "the fair begins", signal: new AbortController().signal };

let clock: FakeClock;
let journal: EventJournal;
let catalog: ResourceCatalog;
let memory: MemoryScaler;
let wakes: AskedWakes;

beforeEach(async () => {
  clock = new FakeClock();
  journal = new EventJournal(clock);
  catalog = new ResourceCatalog({ clock, logger: silentLogger });
  const resources = [
    { name: "a", wakeReplicas: 3, policy: { dependsOn: ["memory/db"], wakeTimeout: 20_000 } },
    { name: "db" },
    { name: "loop", policy: { dependsOn: ["memory/loop"] } },
  ];
  const opened = await openMemoryScaler({ clock, resources, startMs: 500 });
  memory = opened.memory;
  catalog.follow(opened.guarded);
  await vi.waitUntil(() => catalog.list().length === 3);
  wakes = new AskedWakes({ catalog, clock, journal, sleepGate: new SleepGate(clock) });
});

afterEach(async () => {
  await wakes[Symbol.asyncDispose]();
  await catalog[Symbol.asyncDispose]();
});

/** What comes of it, given so much time. */
async function settle<Result>(promise: Promise<Result>, ms: number): Promise<Result> {
  promise.catch(() => {});
  await clock.advance(ms);
  return promise;
}

function writes(name: string): readonly (string | undefined)[] {
  return memory.calls
    .filter(({ call, ref: of }) => call === "setScale" && of?.name === name)
    .map(({ replicas, ifVersion }) => `${replicas} at ${ifVersion}`);
}

it("claims with the count from before the sleep, at the version just read, and waits until it is ready", async () => {
  const before = memory.resource(ref).version;
  const waking = wakes.wake(ref, order);
  waking.catch(() => {});
  await clock.advance(600);
  expect(catalog.get("memory/default/a")?.state.kind).toBe("waking");
  const event = await settle(waking, 5_000);
  expect(event).toMatchObject({ kind: "wake", outcome: "done", by: "operator", from: 0, to: 3 });
  expect(journal.last("memory/default/a", "wake")).toEqual(event);
  expect(writes("a")).toEqual([`3 at ${before}`]);
});

it("wakes what the resource needs before it", async () => {
  await settle(wakes.wake(ref, order), 5_000);
  expect(memory.calls.filter(({ call }) => call === "setScale").map((call) => call.ref?.name)).toEqual(["db", "a"]);
});

it("leaves alone what is awake, whatever the catalogue still says", async () => {
  memory.scaleByHand({ namespace: "default", name: "db" }, 1);
  await clock.advance(600);
  const event = await wakes.wake({ ...ref, name: "db" }, order);
  expect(event).toMatchObject({ outcome: "done", reason: "it was awake already" });
  expect(writes("db")).toEqual([]);
  expect(journal.list()).toEqual([]);
});

it("claims again where somebody else writes in between", async () => {
  let isFirst = true;
  memory.beforeCall = ({ call, ref: of }) => {
    if (call !== "setScale" || of?.name !== "db" || !isFirst) return;
    isFirst = false;
    memory.changePolicy({ namespace: "default", name: "db" }, { idleAfter: 1 });
  };
  expect(await settle(wakes.wake({ ...ref, name: "db" }, order), 5_000)).toMatchObject({ outcome: "done" });
  expect(writes("db")).toHaveLength(2);
});

it("looks often after each claim, so that it sees what sleeps again soon", async () => {
  const db = { namespace: "default", name: "db" };
  // Stopped once before it was ready, and from then on 300 ms after.
  let readyMs = 0;
  memory.beforeCall = ({ call, ref: of }) => {
    if (call !== "setScale" || of?.name !== "db") return;
    clock.setTimer(readyMs === 0 ? 400 : 800, () => memory.scaleByHand(db, 0));
    readyMs = 500;
  };
  expect(await settle(wakes.wake({ ...ref, ...db }, order), 5_000)).toMatchObject({ outcome: "done" });
  expect(writes("db")).toHaveLength(2);
});

it("takes no reading from before its claim for a stop", async () => {
  const db = { namespace: "default", name: "db" };
  const before = await memory.getResource(db);
  const showsAt = clock.monotonic() + 3_000;
  const read = memory.getResource.bind(memory);
  vi.spyOn(memory, "getResource").mockImplementation((of, options) =>
    clock.monotonic() < showsAt ? Promise.resolve(before) : read(of, options),
  );
  // As a platform without compare-and-set, which accepts each claim.
  const set = memory.setScale.bind(memory);
  vi.spyOn(memory, "setScale").mockImplementation((of, replicas) => set(of, replicas));
  expect(await settle(wakes.wake({ ...ref, ...db }, order), 10_000)).toMatchObject({ outcome: "done", to: 1 });
});

it("gives way to whoever stops it again and again", async () => {
  const db = { namespace: "default", name: "db" };
  memory.beforeCall = ({ call, ref: of }) => {
    if (call === "setScale" && of?.name === "db") clock.setTimer(300, () => memory.scaleByHand(db, 0));
  };
  await expect(settle(wakes.wake({ ...ref, ...db }, order), 20_000)).rejects.toMatchObject({
    code: "SCALER_CONFLICT",
    message: "memory/default/db was stopped again each of 5 times that it was woken, before it was seen ready",
  });
  expect(writes("db")).toHaveLength(5);
});

it("joins a wake that runs, and goes on when whoever asked goes away", async () => {
  const abort = new AbortController();
  const first = wakes.wake(ref, { ...order, signal: abort.signal });
  const second = wakes.wake(ref, order);
  abort.abort();
  await expect(first).rejects.toMatchObject({ code: "SCALER_ABORTED" });
  expect(await settle(second, 5_000)).toMatchObject({ outcome: "done" });
  expect(writes("a")).toHaveLength(1);
});

it("ends with what the platform says, and believes an old failure only after a while", async () => {
  const db = { namespace: "default", name: "db" };
  memory.setFailure(db, { code: "SCALER_IMAGE_PULL", message: "no such image" });
  const waking: Promise<ScaleEvent> = wakes.wake({ ...ref, ...db }, order);
  waking.catch(() => {});
  await clock.advance(4_000);
  expect(journal.list()).toEqual([]);
  await clock.advance(4_000);
  await expect(waking).rejects.toMatchObject({ code: "SCALER_IMAGE_PULL", message: "no such image" });
  expect(journal.last("memory/default/db", "wake")).toMatchObject({ outcome: "failed", code: "SCALER_IMAGE_PULL" });
  const again = wakes.wake({ ...ref, ...db }, order);
  again.catch(() => {});
  memory.setFailure(db, { code: "SCALER_QUOTA", message: "nothing left" });
  await clock.advance(1_000);
  memory.setFailure(db, { code: "SCALER_CRASH_LOOP", message: "it starts and ends" });
  await clock.advance(2_000);
  await expect(again).rejects.toMatchObject({ code: "SCALER_CRASH_LOOP" });
});

it("gives up after wakeTimeout", async () => {
  memory.setStartMs(60_000);
  memory.scaleByHand({ namespace: "default", name: "db" }, 1);
  await clock.advance(61_000);
  await expect(settle(wakes.wake(ref, order), 25_000)).rejects.toMatchObject({ code: "DLX_WAKE_TIMEOUT" });
});

it("refuses what nobody knows, and what needs itself", async () => {
  await expect(wakes.wake({ ...ref, name: "none" }, order)).rejects.toMatchObject({ code: "SCALER_NOT_FOUND" });
  await expect(wakes.wake({ ...ref, name: "loop" }, order)).rejects.toMatchObject({ code: "SCALER_BAD_OPTIONS" });
});

it("ends at once where the platform refuses", async () => {
  memory.fail("setScale", new ScalerError("SCALER_FORBIDDEN", "no right to scale"));
  await expect(settle(wakes.wake({ ...ref, name: "db" }, order), 100)).rejects.toMatchObject({
    code: "SCALER_FORBIDDEN",
  });
});

it("ends with its host, and leaves no timer behind", async () => {
  memory.setStartMs(60_000);
  const waking = wakes.wake(ref, order);
  waking.catch(() => {});
  await clock.advance(100);
  await wakes[Symbol.asyncDispose]();
  await expect(waking).rejects.toMatchObject({ code: "SCALER_ABORTED" });
});
