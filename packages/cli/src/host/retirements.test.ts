import { EventJournal, silentLogger } from "@dormouse/core";
import { FakeClock, type MemoryScaler, openMemoryScaler } from "@dormouse/core/testing";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { Retirements } from "./retirements.ts";

const key = "memory/default/a";
const ref = { scaler: "memory", namespace: "default", name: "a" };
const resource = { ref, drainTimeoutMs: 5_000 };

let clock: FakeClock;
let journal: EventJournal;
let requests: number;
let isListed: boolean;
let retirements: Retirements;
let memory: MemoryScaler;
let guarded: Awaited<ReturnType<typeof openMemoryScaler>>["guarded"];

beforeEach(async () => {
  clock = new FakeClock();
  journal = new EventJournal(clock);
  requests = 0;
  isListed = false;
  retirements = new Retirements({
    clock,
    logger: silentLogger,
    journal,
    requests: (asked) => (asked === key ? requests : 0),
    isListed: () => isListed,
  });
  ({ memory, guarded } = await openMemoryScaler({ clock, resources: [{ name: "a", desired: 2 }] }));
});

function scaledTo(): readonly (number | undefined)[] {
  return memory.calls.filter(({ call }) => call === "setScale").map(({ replicas }) => replicas);
}

describe("a resource that is configured no more", () => {
  it("is scaled to zero through its old scaler, and that is an event", async () => {
    retirements.retireResources(guarded, [resource]);
    await vi.waitFor(() => expect(scaledTo()).toEqual([0]));
    expect(journal.list()).toMatchObject([
      {
        kind: "sleep",
        resource: key,
        by: "configuration",
        reason: "removed from the configuration",
        outcome: "done",
        from: 2,
        to: 0,
      },
    ]);
  });

  it("runs on until its last request has ended", async () => {
    requests = 1;
    retirements.retireResources(guarded, [resource]);
    await clock.advance(3_000);
    expect(scaledTo()).toEqual([]);
    requests = 0;
    await clock.advance(100);
    expect(scaledTo()).toEqual([0]);
  });

  it("is ended all the same once its requests took longer than they may", async () => {
    requests = 1;
    retirements.retireResources(guarded, [resource]);
    await clock.advance(5_100);
    expect(scaledTo()).toEqual([0]);
    expect(journal.list()[0]?.reason).toBe("removed from the configuration; its last requests took too long");
  });

  it("stays where it is configured again meanwhile", async () => {
    requests = 1;
    retirements.retireResources(guarded, [resource]);
    await clock.advance(500);
    isListed = true;
    requests = 0;
    await clock.advance(5_000);
    expect(scaledTo()).toEqual([]);
  });

  it("that sleeps or is gone needs nothing", async () => {
    await guarded.setScale(ref, 0);
    retirements.retireResources(guarded, [resource, { ...resource, ref: { ...ref, name: "gone" } }]);
    await retirements.end();
    expect(scaledTo()).toEqual([0]);
    expect(journal.list()).toEqual([]);
  });

  it("is not waited for when the host stops", async () => {
    requests = 1;
    retirements.retireResources(guarded, [resource]);
    await clock.advance(100);
    await retirements.end();
    expect(scaledTo()).toEqual([0]);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe("a scaler that is configured no more", () => {
  it("is closed after its resources are quiet; only those that the configuration listed are scaled", async () => {
    requests = 1;
    retirements.retireScaler(guarded, [], [key], 5_000);
    await clock.advance(1_000);
    await expect(guarded.listResources()).resolves.toHaveLength(1);
    requests = 0;
    await clock.advance(100);
    await vi.waitFor(() => expect(guarded.listResources()).rejects.toMatchObject({ code: "SCALER_DISPOSED" }));
    expect(scaledTo()).toEqual([]);
  });

  it("has its listed resources scaled to zero before it is closed", async () => {
    retirements.retireScaler(guarded, [resource], [key], 5_000);
    await retirements.end();
    expect(scaledTo()).toEqual([0]);
    await expect(guarded.listResources()).rejects.toMatchObject({ code: "SCALER_DISPOSED" });
  });
});
