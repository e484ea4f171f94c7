import { type IdleRule, ResourceCatalog, ScalerError, silentLogger } from "@dormouse/core";
import { describe, expect, it } from "vitest";
import { createDlxSource } from "../src/index.ts";
import { openTargetWorld, scalesOf, SpreadLoad, targetPolicy } from "./target-world.ts";
import { clean, SwitchedElector, web, World } from "./world.ts";

const key = "memory/default/web";

describe("a resource with a target", () => {
  it("gets the replicas that its load needs, with one event for each change", async () => {
    const { world, source } = await openTargetWorld();
    const autoscaler = await world.openAutoscaler({ source });
    await world.advance(20_000);
    expect(world.desired()).toBe(10);
    expect(scalesOf(world)).toEqual([]);
    source.load = 12;
    await world.until(() => world.desired() === 15);
    source.load = 4;
    await world.until(() => world.desired() === 5);
    expect(scalesOf(world)).toMatchObject([
      {
        by: "autoscaler",
        outcome: "done",
        from: 10,
        to: 15,
        reason:
          "cpu is 1.2 of 0.8 at 10 replicas, which makes 15. Its replicas have more than the target on average: it goes to 15.",
      },
      { by: "autoscaler", outcome: "done", from: 15, to: 5 },
    ]);
    await world.advance(2_000);
    expect(autoscaler.lastDecision(key)?.target).toMatchObject({
      decision: "keep",
      reason: "on-target",
      words: "cpu is 0.8 of 0.8 at 5 replicas. It is at its target, or within the tolerance.",
    });
    expect(world.memory.resource(web).read().wakeReplicas).toBe(5);
    expect(await world.close()).toEqual(clean);
  });

  it("says what holds a change back, and for how long", async () => {
    const { world, source } = await openTargetWorld();
    const autoscaler = await world.openAutoscaler({ source });
    await world.advance(12_000);
    source.load = 4;
    await world.advance(3_000);
    expect(autoscaler.lastDecision(key)?.target).toMatchObject({
      decision: "keep",
      reason: "stabilizing",
      figures: { average: 0.4, wanted: 5, stabilized: 10 },
      words:
        "cpu is 0.4 of 0.8 at 10 replicas, which makes 5. What was wanted within the stabilisation window holds it back.",
    });
    expect(autoscaler.lastDecision(key)?.target?.next).toMatch(/^the window has to pass; in \ds$/);
    expect(await world.close()).toEqual(clean);
  });

  it("is asked for with all others of the same source, metric and window, idle rules included", async () => {
    const idleRules: IdleRule[] = [{ metric: "cpu", window: 10_000, threshold: 0 }];
    const world = await World.open({
      resources: Array.from({ length: 100 }, (_, index) => ({
        name: `r${String(index)}`,
        desired: index < 80 ? 2 : 0,
        policy: { ...targetPolicy, ...(index % 2 === 0 && { idleRules }) },
      })),
    });
    const source = new SpreadLoad(world);
    await world.openAutoscaler({ source });
    await world.advance(100);
    expect(source.queries.map(({ metric, windowMs, resources }) => [metric, windowMs, resources.length])).toEqual([
      ["cpu", 10_000, 80],
    ]);
    expect(await world.close()).toEqual(clean);
  });

  it("keeps its count while its source fails, hangs or is old, and goes on once it does not", async () => {
    const { world, source } = await openTargetWorld();
    const autoscaler = await world.openAutoscaler({ source });
    await world.advance(15_000);
    source.load = 40;
    source.onRead = () => Promise.reject(new Error("down"));
    await world.advance(10_000);
    expect(autoscaler.lastDecision(key)?.target).toMatchObject({ reason: "value-unknown", words: /down/ });
    source.onRead = () => new Promise(() => {});
    await world.advance(20_000);
    expect(autoscaler.lastDecision(key)?.target).toMatchObject({ reason: "value-unknown", words: /SCALER_TIMEOUT/ });
    source.onRead = () => {};
    source.ageMs = 10_001;
    await world.advance(10_000);
    expect(autoscaler.lastDecision(key)?.target).toMatchObject({ reason: "value-stale" });
    expect(world.desired()).toBe(10);
    source.ageMs = 500;
    await world.until(() => world.desired() > 10, 10_000);
    expect(await world.close()).toEqual(clean);
  });

  it("keeps its count, and says so, where its source is not configured or its scaler knows one replica only", async () => {
    const target = { ...targetPolicy.target!, source: "nobody" };
    const unknown = await openTargetWorld({ target });
    const one = await unknown.world.openAutoscaler({ source: unknown.source });
    await unknown.world.advance(5_000);
    expect(one.lastDecision(key)?.target?.words).toContain('no source "nobody" is configured');
    expect(await unknown.world.close()).toEqual(clean);

    const single = await openTargetWorld({}, { capabilities: { replicas: "one" } });
    const other = await single.world.openAutoscaler({ source: single.source });
    await single.world.advance(5_000);
    expect(other.lastDecision(key)?.target).toMatchObject({ reason: "one-replica" });
    expect(await single.world.close()).toEqual(clean);
  });

  it("may be what all DLXs have in flight, as a total", async () => {
    const target = { ...targetPolicy.target!, metric: "in_flight", value: 2, valueKind: "total" as const };
    const { world } = await openTargetWorld({ target });
    const source = await createDlxSource(world.peers).create(
      {},
      { id: "dlx", clock: world.clock, logger: silentLogger },
    );
    const autoscaler = await world.openAutoscaler({ source });
    const requests = Array.from({ length: 40 }, () => world.dlx.request(web));
    await world.until(() => world.desired() === 20);
    for (const request of requests.slice(0, 30)) request.finish();
    await world.until(() => world.desired() === 5);
    for (const request of requests) request.finish();
    await world.until(() => world.desired() === 1);
    expect(autoscaler.lastDecision(key)?.target?.words).toContain("in_flight is");
    expect(await world.close()).toEqual(clean);
  });
});

describe("beside sleep, a target", () => {
  it("leaves sleep to its own rules, touches nothing that is asleep, and a wake comes back to the last count", async () => {
    const { world, source } = await openTargetWorld({ idleAfter: 20_000 });
    await world.openAutoscaler({ source });
    source.load = 4;
    await world.until(() => world.isAsleep());
    expect(world.sleeps()).toMatchObject([{ outcome: "done", from: 5, to: 0 }]);
    source.load = 40;
    await world.advance(60_000);
    expect(world.isAsleep()).toBe(true);
    const request = world.dlx.request(web);
    await world.until(() => !world.isAsleep());
    expect(world.desired()).toBe(5);
    await world.until(() => world.desired() === 50);
    request.finish();
    expect(await world.close()).toEqual(clean);
  });

  it("keeps what is to run always from any sleep, an operator's too", async () => {
    const { world, source } = await openTargetWorld({ idleAfter: 5_000, minReplicas: 2 });
    const autoscaler = await world.openAutoscaler({ source });
    source.load = 0;
    await world.until(() => world.desired() === 2);
    await world.advance(60_000);
    expect(world.desired()).toBe(2);
    expect(autoscaler.lastDecision(key)).toMatchObject({ reason: "min-replicas", target: { reason: "at-limit" } });
    expect(await autoscaler.sleep(web, { by: "operator", reason: "asked" })).toMatchObject({
      outcome: "refused",
      code: "min-replicas",
    });
    expect(await world.close()).toEqual(clean);
  });

  it("does not scale what this process puts to sleep", async () => {
    const { world, source } = await openTargetWorld({ idleAfter: 5_000 });
    const held = Promise.withResolvers<void>();
    let reached = false;
    const at = async (step: string): Promise<void> => {
      if (step !== "drain") return;
      reached = true;
      await held.promise;
    };
    const autoscaler = await world.openAutoscaler({ source, at });
    await world.until(() => reached);
    source.load = 80;
    await world.advance(10_000);
    expect(autoscaler.lastDecision(key)?.target).toMatchObject({ reason: "in-transition" });
    expect(world.desired()).toBe(10);
    held.resolve();
    await world.until(() => world.isAsleep());
    expect(await world.close()).toEqual(clean);
  });

  it("makes a sleep that another process has begun give up", async () => {
    const { world, source } = await openTargetWorld();
    const held = Promise.withResolvers<void>();
    let reached = false;
    const at = async (step: string): Promise<void> => {
      if (step !== "stop") return;
      reached = true;
      await held.promise;
    };
    const first = await world.openAutoscaler({ at, elector: new SwitchedElector(true) });
    const sleeping = first.sleep(web, { by: "operator", reason: "asked" });
    await world.until(() => reached);
    // Another process knows nothing of the first one's operations.
    const catalog = new ResourceCatalog({ clock: world.clock, logger: silentLogger });
    catalog.follow(world.scaler);
    const second = await world.openAutoscaler({ source, catalog });
    source.load = 16;
    await world.until(() => world.desired() === 20);
    held.resolve();
    await world.advance(1_000);
    expect(await sleeping).toMatchObject({ outcome: "kept", code: "conflict" });
    expect(world.desired()).toBe(20);
    await second[Symbol.asyncDispose]();
    await catalog[Symbol.asyncDispose]();
    expect(await world.close()).toEqual(clean);
  });
});

describe("a change of the count", () => {
  /** A world whose autoscaler wants 20 replicas, with a hook before its write. */
  async function openRace(beforeWrite: (world: World) => Promise<void> | void) {
    const { world, source } = await openTargetWorld();
    const elector = new SwitchedElector(true);
    const autoscaler = await world.openAutoscaler({ source, elector });
    await world.advance(12_000);
    let isFirst = true;
    world.memory.beforeCall = async ({ call, replicas }) => {
      if (call !== "setScale" || replicas !== 20 || !isFirst) return;
      isFirst = false;
      await beforeWrite(world);
    };
    source.load = 16;
    return { world, source, elector, autoscaler };
  }

  it("gives way to somebody who scales meanwhile, and decides anew", async () => {
    const { world } = await openRace(({ memory }) => memory.resource(web).scale(12));
    await world.until(() => scalesOf(world).length > 0);
    expect(scalesOf(world)).toMatchObject([{ outcome: "kept", code: "conflict", from: 10, to: 20 }]);
    expect(world.desired()).toBe(12);
    await world.until(() => world.desired() === 20);
    expect(await world.close()).toEqual(clean);
  });

  it("never raises what was stopped meanwhile", async () => {
    const { world } = await openRace(({ memory }) => memory.resource(web).scale(0));
    await world.until(() => scalesOf(world).length > 0);
    await world.advance(60_000);
    expect(world.isAsleep()).toBe(true);
    world.dlx.request(web).finish();
    await world.until(() => world.desired() === 10);
    expect(await world.close()).toEqual(clean);
  });

  it("ends with the resource", async () => {
    const { world, autoscaler } = await openRace(({ memory }) => memory.remove(web));
    await world.advance(10_000);
    expect(scalesOf(world)).toEqual([]);
    expect(autoscaler.lastDecision(key)).toBeUndefined();
    expect(await world.close()).toEqual(clean);
  });

  it("is not made once the lead is lost, and a new lead watches for a whole window before it lowers", async () => {
    const { world, source, elector } = await openRace(() => {});
    world.memory.beforeCall = ({ call }) => {
      if (call === "getResource") elector.leads = false;
    };
    await world.advance(30_000);
    expect(world.desired()).toBe(10);
    world.memory.beforeCall = undefined;
    source.load = 4;
    elector.leads = true;
    await world.advance(9_000);
    expect(world.desired()).toBe(10);
    await world.until(() => world.desired() === 5, 5_000);
    expect(await world.close()).toEqual(clean);
  });

  it("is one event where its answer is lost, and waits before the next", async () => {
    const { world, autoscaler } = await openRace(() => {});
    world.memory.afterCall = ({ call }) => {
      if (call === "setScale") throw new ScalerError("SCALER_TIMEOUT", "no answer");
    };
    await world.until(() => scalesOf(world).length > 0);
    expect(scalesOf(world)).toMatchObject([{ outcome: "failed", code: "SCALER_TIMEOUT", from: 10, to: 20 }]);
    world.memory.afterCall = undefined;
    await world.advance(10_000);
    expect(autoscaler.lastDecision(key)?.target).toMatchObject({ reason: "on-target" });
    expect(scalesOf(world)).toHaveLength(1);
    expect(await world.close()).toEqual(clean);
  });

  it("is tried again ever less often where the platform refuses it", async () => {
    const { world } = await openRace(() => {});
    world.memory.beforeCall = ({ call }) => {
      if (call === "setScale") throw new ScalerError("SCALER_QUOTA", "no quota");
    };
    await world.advance(120_000);
    const { length } = scalesOf(world);
    expect(length).toBeGreaterThan(3);
    expect(length).toBeLessThan(15);
    expect(scalesOf(world)[0]).toMatchObject({ outcome: "failed", code: "SCALER_QUOTA" });
    expect(await world.close()).toEqual(clean);
  });

  it("ends with the autoscaler, and leaves nothing behind", async () => {
    const held = Promise.withResolvers<void>();
    let isWriting = false;
    const { world, autoscaler } = await openRace(() => {
      isWriting = true;
      return held.promise;
    });
    await world.until(() => isWriting);
    const ending = autoscaler[Symbol.asyncDispose]();
    held.resolve();
    await ending;
    expect(await world.close()).toEqual(clean);
  });
});

describe("without compare-and-set", () => {
  const capabilities = { compareAndSet: false, settleWithinMs: 3_000 };

  it("a target works, and a request that has to wake comes first", async () => {
    const { world, source } = await openTargetWorld({}, { capabilities });
    const autoscaler = await world.openAutoscaler({ source, singleHost: true });
    source.load = 16;
    const end = world.sleepGate.beginWake(web);
    await world.advance(20_000);
    expect(world.desired()).toBe(10);
    end();
    await world.until(() => world.desired() === 20);
    expect(autoscaler.lastDecision(key)?.target).toBeDefined();
    expect(await world.close()).toEqual(clean);
  });

  it("nothing is changed while an earlier stop may still land", async () => {
    const { world, source } = await openTargetWorld({}, { capabilities });
    await world.openAutoscaler({ source, singleHost: true });
    source.load = 16;
    world.sleepGate.close(web)?.unknown(20_000);
    await world.advance(19_000);
    expect(world.memory.calls.filter(({ call }) => call === "setScale")).toEqual([]);
    expect(scalesOf(world)).toEqual([]);
    await world.until(() => world.desired() === 20, 20_000);
    expect(await world.close()).toEqual(clean);
  });
});
