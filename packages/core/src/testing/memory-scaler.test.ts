import { describe, expect, it } from "vitest";
import type { ResourceChange } from "../resource-scaler.ts";
import { ScalerError } from "../scaler-error.ts";
import { FakeClock } from "./fake-clock.ts";
import { MemoryScaler, type MemoryScalerOptions } from "./memory-scaler.ts";

const web = { namespace: "default", name: "web" };

function openScaler(options: Partial<MemoryScalerOptions> = {}): { clock: FakeClock; scaler: MemoryScaler } {
  const clock = new FakeClock();
  return { clock, scaler: new MemoryScaler({ clock, resources: [{ name: "web" }], ...options }) };
}

describe("MemoryScaler", () => {
  it("moves the version with every accepted call, even to the count that already is", async () => {
    const { scaler } = openScaler();
    const first = await scaler.setScale(web, 1);
    const second = await scaler.setScale(web, 1);
    expect(second.version).not.toBe(first.version);
    expect((await scaler.getResource(web))?.version).toBe(second.version);
  });

  it("refuses another version with SCALER_CONFLICT and changes nothing", async () => {
    const { scaler } = openScaler({ resources: [{ name: "web", desired: 2 }] });
    const before = await scaler.getResource(web);
    await scaler.setScale(web, 2);
    const between = await scaler.getResource(web);
    await expect(scaler.setScale(web, 0, { ifVersion: before!.version })).rejects.toMatchObject({
      code: "SCALER_CONFLICT",
    });
    expect(await scaler.getResource(web)).toEqual(between);
  });

  it("keeps the count from before a sleep as wakeReplicas", async () => {
    const { scaler } = openScaler();
    await scaler.setScale(web, 3);
    await scaler.setScale(web, 0);
    expect(await scaler.getResource(web)).toMatchObject({ desired: 0, ready: 0, wakeReplicas: 3 });
  });

  it("starts instances in time and moves no version by it", async () => {
    const { scaler, clock } = openScaler({ startMs: 100, resources: [{ name: "web" }] });
    const { version } = await scaler.setScale(web, 1);
    expect(await scaler.getResource(web)).toMatchObject({ desired: 1, ready: 0 });
    expect(await scaler.resolveTargets(web, undefined)).toMatchObject([{ ready: false }]);
    await clock.advance(100);
    expect(await scaler.getResource(web)).toMatchObject({ ready: 1, version });
    expect(await scaler.resolveTargets(web, "http")).toMatchObject([{ ready: true, port: 80 }]);
  });

  it("gives no target that a stop is about to end, also after a quick wake", async () => {
    const { scaler, clock } = openScaler({ stopMs: 100, startMs: 50, resources: [{ name: "web", desired: 1 }] });
    const [old] = await scaler.resolveTargets(web, undefined);
    await scaler.setScale(web, 0);
    expect(await scaler.resolveTargets(web, undefined)).toEqual([]);
    await scaler.setScale(web, 1);
    const targets = await scaler.resolveTargets(web, undefined);
    expect(targets.map((target) => target.id)).not.toContain(old!.id);
    await clock.advance(100);
    expect(scaler.resource(web).instances).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
  });

  it("never gives a version again to a resource that was made anew", async () => {
    const { scaler } = openScaler();
    const before = (await scaler.getResource(web))!.version;
    scaler.remove(web);
    expect(await scaler.getResource(web)).toBeUndefined();
    await expect(scaler.setScale(web, 1)).rejects.toMatchObject({ code: "SCALER_NOT_FOUND" });
    scaler.add({ name: "web" });
    expect((await scaler.getResource(web))!.version).not.toBe(before);
  });

  it("moves the version when somebody else changes count or policy, not by a failure", async () => {
    const { scaler } = openScaler();
    const versions = [scaler.resource(web).version];
    scaler.scaleByHand(web, 2);
    versions.push(scaler.resource(web).version);
    scaler.changePolicy(web, { idleAfter: 1_000 });
    versions.push(scaler.resource(web).version);
    expect(new Set(versions).size).toBe(3);
    scaler.setFailure(web, { code: "SCALER_IMAGE_PULL", message: "no such image" });
    expect(await scaler.getResource(web)).toMatchObject({
      version: versions[2],
      failure: { code: "SCALER_IMAGE_PULL" },
      wakeReplicas: 2,
    });
  });

  it("starts nothing while it fails, and again once it can", async () => {
    const { scaler } = openScaler();
    scaler.setFailure(web, { code: "SCALER_START_FAILED", message: "no" });
    await scaler.setScale(web, 1);
    expect((await scaler.getResource(web))?.ready).toBe(0);
    scaler.setFailure(web, undefined);
    expect((await scaler.getResource(web))?.ready).toBe(1);
  });

  it("replaces instances that crash by others", async () => {
    const { scaler } = openScaler({ resources: [{ name: "web", desired: 1 }] });
    const [before] = await scaler.resolveTargets(web, undefined);
    scaler.resource(web).crash();
    const [after] = await scaler.resolveTargets(web, undefined);
    expect(after!.id).not.toBe(before!.id);
  });

  it("watches: a snapshot first, then the last change of each resource, then ends by the signal", async () => {
    const { scaler } = openScaler();
    const abort = new AbortController();
    const seen: ResourceChange[] = [];
    const watching = (async () => {
      for await (const change of scaler.watchResources!({ signal: abort.signal })) seen.push(change);
    })();
    await expect.poll(() => seen.length).toBe(1);
    expect(seen[0]).toMatchObject({ kind: "snapshot", resources: [{ ref: web, desired: 0 }] });
    scaler.scaleByHand(web, 1);
    scaler.scaleByHand(web, 2);
    await expect.poll(() => seen.length).toBe(2);
    expect(seen[1]).toMatchObject({ kind: "set", resource: { desired: 2 } });
    scaler.remove(web);
    await expect.poll(() => seen.length).toBe(3);
    expect(seen[2]).toEqual({ kind: "gone", ref: web });
    abort.abort();
    await watching;
  });

  it("ends watches with the error it is told", async () => {
    const { scaler } = openScaler();
    const changes = scaler.watchResources!()[Symbol.asyncIterator]();
    await changes.next();
    const next = changes.next();
    scaler.endWatches(new ScalerError("SCALER_UNAVAILABLE", "lost"));
    await expect(next).rejects.toMatchObject({ code: "SCALER_UNAVAILABLE" });
  });

  it("routes by version: an older call after a newer one is refused", async () => {
    const { scaler } = openScaler({ capabilities: { routing: true } });
    const older = (await scaler.setScale(web, 1)).version;
    const newer = (await scaler.setScale(web, 1)).version;
    expect(scaler.resource(web).routedTo).toBe("resource");
    await scaler.routeTraffic!(web, "dlx", { version: newer });
    await scaler.routeTraffic!(web, "dlx", { version: newer });
    await expect(scaler.routeTraffic!(web, "resource", { version: older })).rejects.toMatchObject({
      code: "SCALER_CONFLICT",
    });
    expect(scaler.resource(web).routedTo).toBe("dlx");
  });

  it("lacks the methods that its capabilities deny", () => {
    const { scaler } = openScaler({ capabilities: { watch: false } });
    expect(scaler.watchResources).toBeUndefined();
    expect(scaler.routeTraffic).toBeUndefined();
  });

  it("refuses ifVersion where compare-and-set is off", async () => {
    const { scaler } = openScaler({ capabilities: { compareAndSet: false } });
    await expect(scaler.setScale(web, 1, { ifVersion: "v1" })).rejects.toMatchObject({ code: "SCALER_UNSUPPORTED" });
  });

  it("fails as told before the effect, and loses answers after it", async () => {
    const { scaler } = openScaler();
    scaler.fail("setScale", new ScalerError("SCALER_QUOTA", "no quota"));
    await expect(scaler.setScale(web, 1)).rejects.toMatchObject({ code: "SCALER_QUOTA" });
    expect(scaler.resource(web).read().desired).toBe(0);
    scaler.fail("setScale", undefined);
    scaler.afterCall = () => {
      throw new ScalerError("SCALER_TIMEOUT", "no answer");
    };
    await expect(scaler.setScale(web, 1)).rejects.toMatchObject({ code: "SCALER_TIMEOUT" });
    expect(scaler.resource(web).read().desired).toBe(1);
  });

  it("records what it was asked", async () => {
    const { scaler } = openScaler();
    await scaler.setScale(web, 1, { ifVersion: scaler.resource(web).version });
    await scaler.resolveTargets(web, "http");
    expect(scaler.calls).toEqual([
      { call: "setScale", ref: web, replicas: 1, ifVersion: "v1" },
      { call: "resolveTargets", ref: web, port: "http" },
    ]);
  });

  it("leaves no timer and takes no call once it is closed", async () => {
    const { scaler, clock } = openScaler({ startMs: 1_000 });
    await scaler.setScale(web, 2);
    expect(clock.pendingTimers).toBe(2);
    await scaler[Symbol.asyncDispose]();
    expect(clock.pendingTimers).toBe(0);
    await expect(scaler.listResources()).rejects.toMatchObject({ code: "SCALER_DISPOSED" });
  });
});
