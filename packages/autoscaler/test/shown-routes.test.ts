import type { IdleRule, MetricsSource, PartialPolicy } from "@dormouse/core";
import { describe, expect, it } from "vitest";
import { clean, defaultConfig, quickPolicy, SwitchedElector, web, World, type WorldOptions } from "./world.ts";

const idleRules: IdleRule[] = [{ metric: "open", window: 10_000, threshold: 0, source: "metrics" }];

/** Says of every resource that it is in use, or that it is not. */
function openSource(open: number): MetricsSource {
  return {
    read: async ({ resources }) => resources.map((ref) => ({ ref, value: open, ageMs: 100 })),
    [Symbol.asyncDispose]: async () => {},
  };
}

function routedWorld(policy: PartialPolicy, options: WorldOptions = {}): Promise<World> {
  return World.open({
    capabilities: { routing: true, settleWithinMs: 500 },
    resources: [{ name: "web", desired: 1, policy }],
    ...options,
  });
}

const direct: PartialPolicy = { routing: "direct", idleRules };
const writesOf = (world: World): number =>
  world.memory.calls.filter(({ call }) => call === "setScale" || call === "routeTraffic").length;

describe("routes that are shown to be right", () => {
  const names = Array.from({ length: 50 }, (_, index) => `app-${String(index)}`);

  async function settledWorld(): Promise<World> {
    const policies = [direct, { routing: "always", idleAfter: 3_600_000 }, { routing: "direct", idleRules }] as const;
    const world = await World.open({
      capabilities: { routing: true, settleWithinMs: 500 },
      resources: names.map((name, index) => ({
        name,
        desired: index % 3 === 2 ? 0 : 1,
        policy: policies[index % 3] as PartialPolicy,
      })),
    });
    for (const [index, name] of names.entries()) {
      world.memory.routeByHand({ namespace: "default", name }, index % 3 === 0 ? "resource" : "dlx");
    }
    return world;
  }

  it("are left alone by a start and by a change of leader: not one write for many resources", async () => {
    const world = await settledWorld();
    const first = new SwitchedElector(true);
    const second = new SwitchedElector(false);
    await world.openAutoscaler({ source: openSource(1), elector: first });
    await world.openAutoscaler({ source: openSource(1), elector: second });
    await world.advance(30_000);
    first.leads = false;
    second.leads = true;
    await world.advance(60_000);
    expect(writesOf(world)).toBe(0);
    expect(await world.close()).toEqual(clean);
  });

  it("are left alone when somebody else moves the version", async () => {
    const world = await settledWorld();
    await world.openAutoscaler({ source: openSource(1) });
    await world.advance(5_000);
    for (const [index, name] of names.entries()) {
      world.memory.scaleByHand({ namespace: "default", name }, index % 3 === 2 ? 0 : 1);
    }
    await world.advance(60_000);
    expect(writesOf(world)).toBe(0);
    expect(await world.close()).toEqual(clean);
  });
});

describe("a route that is shown to be wrong", () => {
  it("is mended whichever way somebody else has sent the traffic, without any change of the version", async () => {
    const world = await routedWorld(direct);
    await world.openAutoscaler({ source: openSource(1) });
    await world.advance(defaultConfig.sleepTimeout + 2_000);
    world.memory.routeByHand(web, "dlx");
    await world.until(() => world.routedTo() === "resource", 2_000);
    world.memory.scaleByHand(web, 0);
    await world.until(() => world.routedTo() === "dlx", 2_000);
    world.memory.routeByHand(web, "resource");
    await world.until(() => world.routedTo() === "dlx", 3_000);
    expect(world.isAsleep()).toBe(true);
    expect(await world.close()).toEqual(clean);
  });

  it("is mended ever less often where somebody undoes that again and again, and one event says so", async () => {
    const world = await routedWorld(direct, { resources: [{ name: "web", desired: 0, policy: direct }] });
    let mends = 0;
    const original = world.memory.afterCall;
    world.memory.afterCall = async (call, signal) => {
      await original?.(call, signal);
      if (call.to !== "dlx") return;
      mends += 1;
      world.clock.setTimer(1_500, () => world.memory.routeByHand(web, "resource"));
    };
    await world.openAutoscaler({ source: openSource(1) });
    await world.advance(600_000);
    expect(mends).toBeGreaterThan(8);
    expect(mends).toBeLessThan(30);
    const events = world.journal.list().filter(({ reason }) => reason.includes("again and again"));
    expect(events).toMatchObject([{ kind: "resource", by: "reconciler", outcome: "failed" }]);
    world.memory.afterCall = original;
    // What was mended a moment ago is undone once more.
    await world.advance(1_500);
    await world.until(() => world.routedTo() === "dlx", 70_000);
    await world.advance(10_000);
    expect(world.routedTo()).toBe("dlx");
    expect((await world.close()).violations).toEqual([]);
  });

  it("of a sleep of its own that is kept again and again is mended each time at once", async () => {
    const world = await routedWorld({ ...direct, drainTimeout: 1_000 });
    let open = 0;
    const source = openSource(0);
    source.read = async ({ resources }) => resources.map((ref) => ({ ref, value: open, ageMs: 100 }));
    const original = world.memory.afterCall;
    world.memory.afterCall = async (call, signal) => {
      await original?.(call, signal);
      if (call.to !== undefined) open = call.to === "dlx" ? 1 : 0;
    };
    await world.openAutoscaler({ source });
    for (let round = 0; round < 4; round += 1) {
      await world.until(() => world.routedTo() === "dlx");
      await world.until(() => world.routedTo() === "resource", 3_000);
    }
    expect(world.journal.list().some(({ reason }) => reason.includes("again and again"))).toBe(false);
    expect(await world.close()).toEqual(clean);
  });
});

describe("what was diverted and is awake", () => {
  it("gets its traffic back from the reconciler where the DLX that woke it has gone", async () => {
    const world = await routedWorld(direct, { resources: [{ name: "web", desired: 0, policy: direct }], dlxs: 2 });
    world.memory.routeByHand(web, "dlx");
    await world.openAutoscaler({ source: openSource(1) });
    await world.advance(3_000);
    const [woke] = world.dlxs;
    woke?.request(web).finish();
    await world.until(() => !world.isAsleep());
    woke?.crash();
    world.dlxs.shift();
    const { version } = world.memory.resource(web);
    await world.advance(defaultConfig.sleepTimeout - 3_000);
    expect(world.routedTo()).toBe("dlx");
    expect(world.memory.resource(web).version).toBe(version);
    await world.until(() => world.routedTo() === "resource", 5_000);
    expect(await world.close()).toEqual(clean);
  });

  it.each([0, 2_000])("gets it back when its policy stops to opt in, instances ready after %i ms", async (startMs) => {
    const world = await routedWorld({ routing: "always", idleAfter: 3_600_000 }, { startMs });
    await world.openAutoscaler();
    await world.until(() => world.routedTo() === "dlx", 3_000);
    world.memory.scaleByHand(web, 2);
    world.memory.changePolicy(web, { ...quickPolicy, enabled: false });
    const { version } = world.memory.resource(web);
    await world.until(() => world.routedTo() === "resource", defaultConfig.sleepTimeout + 5_000);
    expect(world.memory.resource(web).read()).toMatchObject({ ready: 2, desired: 2 });
    expect(world.memory.resource(web).version).not.toBe(version);
    const before = writesOf(world);
    await world.advance(60_000);
    expect(writesOf(world)).toBe(before);
    expect(await world.close()).toEqual(clean);
  });

  it("gets it back from a process that has only just started, and never saw it enabled", async () => {
    const world = await routedWorld({ enabled: false });
    world.memory.routeByHand(web, "dlx");
    await world.openAutoscaler();
    await world.until(() => world.routedTo() === "resource", defaultConfig.sleepTimeout + 3_000);
    expect(await world.close()).toEqual(clean);
  });

  it("and refused, for what is written about it is wrong, is never put to sleep, nor by an operator", async () => {
    const world = await routedWorld({});
    world.memory.refuse(web, { code: "SCALER_BAD_OPTIONS", message: "two workloads behind one Service" });
    world.memory.routeByHand(web, "dlx");
    const autoscaler = await world.openAutoscaler();
    await world.advance(60_000);
    const asked = await autoscaler.sleep(web, { by: "operator", reason: "to save" });
    expect(asked).toMatchObject({ outcome: "refused", code: "not-enabled" });
    expect(world.isAsleep()).toBe(false);
    expect(world.routedTo()).toBe("resource");
    expect(await world.close()).toEqual(clean);
  });

  it("stays with the DLX while it is stopped and not enabled, for nobody else would wake it", async () => {
    const world = await routedWorld({ enabled: false }, { resources: [{ name: "web", desired: 0 }] });
    world.memory.changePolicy(web, { enabled: false });
    world.memory.routeByHand(web, "dlx");
    await world.openAutoscaler();
    await world.advance(60_000);
    expect(writesOf(world)).toBe(0);
    world.directRequest();
    await world.until(() => !world.isAsleep(), 1_000);
    await world.until(() => world.routedTo() === "resource", defaultConfig.sleepTimeout + 3_000);
    expect(await world.close()).toEqual(clean);
  });
});

describe("traffic that stays with the DLX", () => {
  const always: PartialPolicy = { routing: "always" };

  it("counts as diverted from when this process saw it so, without a write", async () => {
    const world = await routedWorld(always);
    world.memory.routeByHand(web, "dlx");
    await world.advance(60_000);
    const autoscaler = await world.openAutoscaler();
    await world.advance(9_000);
    expect(writesOf(world)).toBe(0);
    expect(autoscaler.lastDecision("memory/default/web")).toMatchObject({ decision: "keep" });
    await world.until(() => world.isAsleep(), 4_000);
    expect(await world.close()).toEqual(clean);
  });

  it("counts anew where it went elsewhere for a moment, between two looks", async () => {
    const world = await routedWorld(always);
    world.memory.routeByHand(web, "dlx");
    await world.openAutoscaler();
    await world.advance(8_100);
    world.memory.routeByHand(web, "resource");
    await world.advance(200);
    world.memory.routeByHand(web, "dlx");
    expect(writesOf(world)).toBe(0);
    await world.advance(9_000);
    expect(world.isAsleep()).toBe(false);
    await world.until(() => world.isAsleep(), 5_000);
    expect(await world.close()).toEqual(clean);
  });

  it("keeps its resource awake where somebody takes it away again and again", async () => {
    const world = await routedWorld(always);
    const original = world.memory.afterCall;
    world.memory.afterCall = async (call, signal) => {
      await original?.(call, signal);
      if (call.to === "dlx") world.clock.setTimer(2_000, () => world.memory.routeByHand(web, "resource"));
    };
    const autoscaler = await world.openAutoscaler();
    await world.advance(300_000);
    expect(world.isAsleep()).toBe(false);
    // For two seconds after each mend it is not.
    const isUndiverted = (): boolean => autoscaler.lastDecision("memory/default/web")?.reason === "not-diverted";
    await world.until(isUndiverted, 5_000);
    expect((await world.close()).violations).toEqual([]);
  });
});
