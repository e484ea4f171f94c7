import { afterEach, describe, expect, it, vi } from "vitest";
import type { GuardedScaler } from "./guard-scaler.ts";
import type { Logger } from "./logger.ts";
import { silentLogger } from "./logger.ts";
import { type CatalogChange, ResourceCatalog } from "./resource-catalog.ts";
import type { Resource } from "./resource-scaler.ts";
import { ScalerError } from "./scaler-error.ts";
import { FakeClock } from "./testing/fake-clock.ts";
import { openMemoryScaler } from "./testing/memory-plugin.ts";
import type { MemoryScalerOptions } from "./testing/memory-scaler.ts";

const web = { namespace: "default", name: "web" };
const key = "memory/default/web";
const opened: AsyncDisposable[] = [];

afterEach(async () => {
  for (const each of opened.splice(0)) await each[Symbol.asyncDispose]();
});

async function open(options: Partial<MemoryScalerOptions> = {}, logger: Logger = silentLogger) {
  const clock = new FakeClock();
  const { memory, guarded } = await openMemoryScaler({ clock, resources: [{ name: "web" }], ...options });
  const catalog = new ResourceCatalog({ clock, logger, listEveryMs: 1_000 });
  const changes: CatalogChange[] = [];
  catalog.subscribe((change) => void changes.push(change));
  opened.push(catalog, guarded);
  return { clock, memory, guarded, catalog, changes, kinds: () => changes.map((change) => change.kind) };
}

const listed = { capabilities: { watch: false } };

describe.each([
  ["watched", {}, 0],
  ["listed", listed, 1_000],
] as const)("a scaler that is %s", (_name, options, afterMs) => {
  it("is followed: its resources, then that it has listed, then each change", async () => {
    const { clock, memory, guarded, catalog, kinds } = await open(options);
    catalog.follow(guarded);
    expect(catalog.unlisted()).toEqual([{ scaler: "memory", failure: undefined }]);
    await clock.advance(0);
    expect(catalog.unlisted()).toEqual([]);
    expect(catalog.get(key)).toMatchObject({ key, ref: { scaler: "memory", ...web }, state: { kind: "asleep" } });
    expect(catalog.get(key)?.scaler).toBe(guarded);
    expect(kinds()).toEqual(["set", "listed"]);
    memory.scaleByHand(web, 1);
    await clock.advance(afterMs);
    expect(catalog.get(key)?.state.kind).toBe("awake");
    memory.remove(web);
    await clock.advance(afterMs);
    expect(catalog.get(key)).toBeUndefined();
    expect(catalog.list()).toEqual([]);
    expect(kinds()).toEqual(["set", "listed", "set", "gone"]);
  });

  it("keeps its last known resources while it fails, and finds what changed afterwards", async () => {
    const { clock, memory, guarded, catalog } = await open(options);
    catalog.follow(guarded);
    await clock.advance(0);
    const unavailable = new ScalerError("SCALER_UNAVAILABLE", "connection refused");
    memory.fail("listResources", unavailable);
    memory.fail("watchResources", unavailable);
    memory.endWatches(unavailable);
    await clock.advance(60_000);
    expect(catalog.get(key)?.state.kind).toBe("asleep");
    expect(catalog.failureOf("memory")).toBe(unavailable);
    expect(catalog.unlisted()).toEqual([]);
    memory.add({ name: "api" });
    memory.fail("listResources", undefined);
    memory.fail("watchResources", undefined);
    await clock.advance(30_000);
    expect(catalog.failureOf("memory")).toBeUndefined();
    expect(catalog.list()).toHaveLength(2);
  });

  it("says why it has not listed yet, and logs the failure once", async () => {
    const warn = vi.fn();
    const { clock, memory, guarded, catalog } = await open(options, { ...silentLogger, warn });
    memory.fail("listResources", new ScalerError("SCALER_FORBIDDEN", "no rights"));
    memory.fail("watchResources", new ScalerError("SCALER_FORBIDDEN", "no rights"));
    catalog.follow(guarded);
    await clock.advance(60_000);
    expect(catalog.unlisted()).toMatchObject([{ scaler: "memory", failure: { code: "SCALER_FORBIDDEN" } }]);
    expect(warn).toHaveBeenCalledOnce();
  });

  it("backs off while it fails", async () => {
    const { clock, memory, guarded, catalog } = await open(options);
    memory.fail("listResources", new ScalerError("SCALER_UNAVAILABLE", "no"));
    memory.fail("watchResources", new ScalerError("SCALER_UNAVAILABLE", "no"));
    catalog.follow(guarded);
    await clock.advance(60_000);
    const early = memory.calls.length;
    await clock.advance(600_000);
    expect(early).toBeLessThan(15);
    expect(memory.calls.length - early).toBeLessThanOrEqual(40);
    expect(memory.calls.length - early).toBeGreaterThanOrEqual(20);
  });

  it("leaves nothing behind when it is followed no more", async () => {
    const { clock, guarded, catalog, kinds } = await open(options);
    catalog.follow(guarded);
    await clock.advance(0);
    await catalog.unfollow("memory");
    expect(catalog.list()).toEqual([]);
    expect(catalog.scaler("memory")).toBeUndefined();
    expect(kinds()).toEqual(["set", "listed", "gone"]);
    expect(clock.pendingTimers).toBe(0);
    await catalog.unfollow("memory");
  });

  it("ends with the catalogue", async () => {
    const { clock, memory, guarded, catalog } = await open(options);
    catalog.follow(guarded);
    await clock.advance(0);
    await catalog[Symbol.asyncDispose]();
    const calls = memory.calls.length;
    await clock.advance(60_000);
    expect(memory.calls).toHaveLength(calls);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe("a watch", () => {
  it("is begun again when it ends, and not ten times a second where it ends at once", async () => {
    const { clock, memory, guarded, catalog } = await open();
    catalog.follow(guarded);
    await clock.advance(20_000);
    memory.endWatches();
    memory.scaleByHand(web, 1);
    await clock.advance(100);
    expect(catalog.get(key)?.state.kind).toBe("awake");
    for (let tenths = 0; tenths < 600; tenths += 1) {
      memory.endWatches();
      await clock.advance(100);
    }
    expect(memory.calls.filter((call) => call.call === "watchResources").length).toBeLessThan(15);
  });

  it("drops what the new snapshot no longer has", async () => {
    const { clock, memory, guarded, catalog } = await open();
    catalog.follow(guarded);
    await clock.advance(0);
    memory.endWatches();
    await clock.advance(0);
    memory.remove(web);
    await clock.advance(1_000);
    expect(catalog.list()).toEqual([]);
  });
});

describe("the catalogue", () => {
  it("says nothing of a listing that changes nothing", async () => {
    const { clock, guarded, catalog, changes } = await open(listed);
    catalog.follow(guarded);
    await clock.advance(0);
    const entry = catalog.get(key);
    await clock.advance(10_000);
    expect(changes).toHaveLength(2);
    expect(catalog.get(key)).toBe(entry);
  });

  it("notices a new policy although version and counts stay", async () => {
    const { clock, memory, guarded, catalog, changes } = await open(listed);
    catalog.follow(guarded);
    await clock.advance(0);
    const before = memory.resource(web).read();
    catalog.beginObservation(guarded, web)({ ...before, policy: { ...before.policy, hosts: ["web.example.com"] } });
    expect(catalog.get(key)?.resource.policy.hosts).toEqual(["web.example.com"]);
    expect(changes).toHaveLength(3);
  });

  it("takes nothing from an instance that was replaced while it listed", async () => {
    const { clock, guarded, catalog, memory } = await open(listed);
    const list = Promise.withResolvers<readonly Resource[]>();
    const listResources = () => list.promise;
    const deaf = Object.assign(Object.create(guarded) as GuardedScaler, { listResources });
    catalog.follow(deaf);
    catalog.follow(guarded);
    await clock.advance(0);
    list.resolve([{ ...memory.resource(web).read(), desired: 9 }]);
    await clock.advance(0);
    expect(catalog.get(key)).toMatchObject({ resource: { desired: 0 } });
    expect(catalog.get(key)?.scaler).toBe(guarded);
  });

  it("keeps scalers with equal names apart", async () => {
    const { clock, guarded, catalog } = await open();
    const other = await openMemoryScaler({ clock, resources: [{ name: "web", desired: 1 }] }, "other");
    opened.push(other.guarded);
    catalog.follow(guarded);
    catalog.follow(other.guarded);
    await clock.advance(0);
    expect(catalog.list().map((entry) => [entry.key, entry.state.kind])).toEqual([
      ["memory/default/web", "asleep"],
      ["other/default/web", "awake"],
    ]);
    await catalog.unfollow("memory");
    expect(catalog.list().map((entry) => entry.key)).toEqual(["other/default/web"]);
  });

  it("lets one instance of a scaler take another's place without a moment in which resources are gone", async () => {
    const { clock, memory, guarded, catalog, kinds } = await open();
    catalog.follow(guarded);
    await clock.advance(0);
    const next = await openMemoryScaler({ clock, resources: [{ name: "web", desired: 1 }, { name: "api" }] });
    opened.push(next.guarded);
    catalog.follow(next.guarded);
    expect(catalog.get(key)?.scaler).toBe(next.guarded);
    expect(catalog.scaler("memory")).toBe(next.guarded);
    memory.scaleByHand(web, 3);
    await clock.advance(0);
    expect(catalog.get(key)).toMatchObject({ resource: { desired: 1 }, state: { kind: "awake" } });
    expect(catalog.list()).toHaveLength(2);
    expect(kinds()).not.toContain("gone");
  });

  it("takes in what a call has read, unless the scaler is followed no more", async () => {
    const { clock, memory, guarded, catalog } = await open(listed);
    catalog.follow(guarded);
    await clock.advance(0);
    memory.scaleByHand(web, 1);
    catalog.beginObservation(guarded, web)(memory.resource(web).read());
    expect(catalog.get(key)?.state.kind).toBe("awake");
    await catalog.unfollow("memory");
    catalog.beginObservation(guarded, web)(memory.resource(web).read());
    expect(catalog.list()).toEqual([]);
  });

  it("leaves out an answer that is older than what a watch has told since it was asked for", async () => {
    const { clock, memory, guarded, catalog } = await open();
    catalog.follow(guarded);
    await clock.advance(0);
    const observe = catalog.beginObservation(guarded, web);
    const answer = memory.resource(web).read();
    memory.scaleByHand(web, 1);
    await clock.advance(0);
    observe(answer);
    expect(catalog.get(key)?.state.kind).toBe("awake");
  });

  it("leaves out an answer that another call has overtaken", async () => {
    const { clock, memory, guarded, catalog } = await open(listed);
    catalog.follow(guarded);
    await clock.advance(0);
    const slow = catalog.beginObservation(guarded, web);
    const answer = memory.resource(web).read();
    memory.scaleByHand(web, 1);
    catalog.beginObservation(guarded, web)(memory.resource(web).read());
    slow(answer);
    expect(catalog.get(key)?.state.kind).toBe("awake");
  });

  it("shows the operation that runs: a wake before a sleep, and the facts once all have ended", async () => {
    const { clock, guarded, catalog } = await open();
    catalog.follow(guarded);
    await clock.advance(0);
    const ref = { scaler: "memory", ...web };
    const endSleep = catalog.beginOperation(ref, "sleep");
    expect(catalog.get(key)?.state.kind).toBe("sleeping");
    const endWake = catalog.beginOperation(ref, "wake");
    const endOtherWake = catalog.beginOperation(ref, "wake");
    expect(catalog.get(key)?.state.kind).toBe("waking");
    endWake();
    endWake();
    expect(catalog.get(key)?.state.kind).toBe("waking");
    endOtherWake();
    expect(catalog.get(key)?.state.kind).toBe("sleeping");
    endSleep();
    expect(catalog.get(key)?.state.kind).toBe("asleep");
  });

  it("remembers an operation of a resource that it does not know yet", async () => {
    const { clock, guarded, catalog } = await open();
    catalog.beginOperation({ scaler: "memory", ...web }, "wake");
    catalog.follow(guarded);
    await clock.advance(0);
    expect(catalog.get(key)?.state.kind).toBe("waking");
  });

  it("goes on where a listener throws, and logs it", async () => {
    const error = vi.fn();
    const { clock, guarded, catalog } = await open({}, { ...silentLogger, error });
    const broken = new Error("listener");
    catalog.subscribe(() => {
      throw broken;
    });
    catalog.follow(guarded);
    await clock.advance(0);
    expect(catalog.unlisted()).toEqual([]);
    expect(catalog.failureOf("memory")).toBeUndefined();
    expect(error).toHaveBeenCalledWith(expect.objectContaining({ error: broken }), expect.any(String));
  });

  it("tells nothing to a listener that has left", async () => {
    const { clock, guarded, catalog } = await open();
    const listener = vi.fn();
    catalog.subscribe(listener)[Symbol.dispose]();
    catalog.follow(guarded);
    await clock.advance(0);
    expect(listener).not.toHaveBeenCalled();
  });
});
