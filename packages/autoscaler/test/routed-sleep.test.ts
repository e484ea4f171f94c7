import { type IdleRule, type MetricsSource, ScalerError } from "@dormouse/core";
import { describe, expect, it } from "vitest";
import type { SleepStep } from "../src/index.ts";
import { Pause } from "./pause.ts";
import { clean, defaultConfig, quickPolicy, web, World, type WorldOptions } from "./world.ts";

const idleRules: IdleRule[] = [{ metric: "open", window: 10_000, threshold: 0 }];

/** What goes straight to the resource, as a metrics system sees it. */
class DirectTraffic implements MetricsSource {
  open = 0;
  ageMs: number | undefined = 100;
  reads = 0;

  async read({ resources }: Parameters<MetricsSource["read"]>[0]) {
    this.reads += 1;
    return resources.map((ref) => ({ ref, value: this.open, ...(this.ageMs !== undefined && { ageMs: this.ageMs }) }));
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

function directWorld(options: WorldOptions = {}): Promise<World> {
  return World.open({
    capabilities: { routing: true, settleWithinMs: 2_000 },
    resources: [{ name: "web", desired: 1, policy: { idleRules } }],
    restores: true,
    ...options,
  });
}

async function pausedAt(step: SleepStep, options: WorldOptions = {}) {
  const world = await directWorld(options);
  const source = new DirectTraffic();
  const pause = new Pause(step);
  const autoscaler = await world.openAutoscaler({ at: pause.at, source });
  await world.until(() => pause.isReached);
  return { world, pause, autoscaler, source };
}

describe("a resource with traffic of its own", () => {
  it("is diverted with the version of the mark before it is drained, and stays diverted while it sleeps", async () => {
    const { world, pause } = await pausedAt("drain");
    const mark = world.memory.resource(web).version;
    expect(world.routedTo()).toBe("dlx");
    expect(world.memory.calls.findLast(({ call }) => call === "routeTraffic")).toMatchObject({
      to: "dlx",
      version: mark,
    });
    pause.resume();
    await world.until(() => world.isAsleep());
    expect(world.routedTo()).toBe("dlx");
    world.directRequest();
    await world.until(() => !world.isAsleep());
    await world.until(() => world.routedTo() === "resource", 1_000);
    expect(await world.close()).toEqual(clean);
  });

  it("is drained for at least the time in which routes settle", async () => {
    const { world, pause } = await pausedAt("drain");
    pause.resume();
    await world.advance(1_900);
    expect(world.isAsleep()).toBe(false);
    await world.until(() => world.isAsleep(), 1_000);
    expect(await world.close()).toEqual(clean);
  });

  it("is drained for the quiet period, where that is longer", async () => {
    const { world, pause } = await pausedAt("drain", { config: { quietPeriod: 5_000 } });
    pause.resume();
    await world.advance(4_900);
    expect(world.isAsleep()).toBe(false);
    await world.until(() => world.isAsleep(), 1_000);
    expect(await world.close()).toEqual(clean);
  });

  it("is kept where a request comes during the drain, and gets its traffic back", async () => {
    const { world, pause } = await pausedAt("drain");
    pause.resume();
    await world.advance(1_000);
    world.directRequest();
    await world.until(() => world.sleeps().length > 0, 2_000);
    expect(world.sleeps()[0]).toMatchObject({ outcome: "kept", code: "recent-activity" });
    expect(world.isAsleep()).toBe(false);
    await world.until(() => world.routedTo() === "resource", 5_000);
    expect(await world.close()).toEqual(clean);
  });

  it("is kept once its drain has taken drainTimeout without a sample from after the divert", async () => {
    const { world, pause, source } = await pausedAt("divert");
    // A metrics system that stopped scraping a second ago.
    const stoppedAt = world.clock.monotonic() - 1_000;
    source.read = async ({ resources }) =>
      resources.map((ref) => ({ ref, value: 0, ageMs: world.clock.monotonic() - stoppedAt }));
    pause.resume();
    await world.until(() => world.sleeps().length > 0);
    expect(world.sleeps()[0]).toMatchObject({ outcome: "kept", code: "drain-timeout" });
    expect(world.sleeps()[0]!.phases!["drain"]).toBeGreaterThanOrEqual(quickPolicy.drainTimeout!);
    expect(world.isAsleep()).toBe(false);
    expect(await world.close()).toEqual(clean);
  });

  it("is kept where its metrics show use after the divert", async () => {
    const { world, pause, source } = await pausedAt("drain");
    source.open = 1;
    pause.resume();
    await world.until(() => world.sleeps().length > 0);
    expect(world.sleeps()[0]).toMatchObject({ outcome: "kept", code: "rule-busy" });
    expect(await world.close()).toEqual(clean);
  });

  it("waits for metrics that fail for a moment, within the drain's limit", async () => {
    const { world, pause, source } = await pausedAt("drain");
    const original = source.read.bind(source);
    source.read = () => Promise.reject(new Error("down"));
    pause.resume();
    await world.advance(5_000);
    expect(world.isAsleep()).toBe(false);
    expect(world.sleeps()).toEqual([]);
    source.read = original;
    await world.until(() => world.isAsleep(), 2_000);
    expect(await world.close()).toEqual(clean);
  });

  it("is not even marked where its drain can never be long enough", async () => {
    const world = await directWorld({ config: { quietPeriod: 60_000 } });
    const autoscaler = await world.openAutoscaler({ source: new DirectTraffic() });
    const before = world.memory.resource(web).version;
    await world.advance(15_000);
    expect(world.sleeps()[0]).toMatchObject({ outcome: "kept", code: "drain-too-short" });
    expect(autoscaler.lastDecision("memory/default/web")).toMatchObject({ reason: "backing-off" });
    expect(world.memory.calls.some(({ to }) => to === "dlx")).toBe(false);
    expect(world.memory.resource(web).version).toBe(before);
    expect(await world.close()).toEqual(clean);
  });

  it("is not diverted where no DLX answers by then, and where somebody newer has routed it", async () => {
    const first = await pausedAt("divert");
    first.world.dlx.onActivity = () => Promise.reject(new Error("gone"));
    first.pause.resume();
    await first.world.until(() => first.world.sleeps().length > 0);
    expect(first.world.sleeps()[0]).toMatchObject({ outcome: "kept", code: "no-dlx" });
    expect(first.world.routedTo()).toBe("resource");
    expect(await first.world.close()).toEqual(clean);

    const second = await pausedAt("divert");
    const { version } = await second.world.memory.setScale(web, 1);
    await second.world.memory.routeTraffic!(web, "resource", { version });
    second.pause.resume();
    await second.world.until(() => second.world.sleeps().length > 0);
    expect(second.world.sleeps()[0]).toMatchObject({ outcome: "kept", code: "conflict" });
    expect(second.world.routedTo()).toBe("resource");
    expect(await second.world.close()).toEqual(clean);
  });

  it("never sleeps while its metrics are unknown or busy, whatever the DLXs count", async () => {
    const world = await directWorld();
    const source = new DirectTraffic();
    source.open = 2;
    const autoscaler = await world.openAutoscaler({ source });
    await world.advance(60_000);
    expect(autoscaler.lastDecision("memory/default/web")).toMatchObject({
      reason: "rule-busy",
      words: "An idle rule is above its threshold: open is 2, 100ms old, its threshold 0.",
    });
    source.ageMs = 6_000;
    source.open = 0;
    await world.advance(60_000);
    expect(autoscaler.lastDecision("memory/default/web")).toMatchObject({ reason: "rule-stale" });
    expect(world.isAsleep()).toBe(false);
    expect(await world.close()).toEqual(clean);
  });
});

describe("a resource whose traffic stays with the DLX", () => {
  it("does so by what the DLXs are told of the sources, whatever the sources say of themselves", async () => {
    const world = await directWorld({
      resources: [{ name: "web", desired: 1, policy: { idleRules } }],
      restores: false,
    });
    await world.openAutoscaler({ source: new DirectTraffic(), seesDirect: () => false });
    await world.until(() => world.routedTo() === "dlx", 3_000);
    await world.until(() => world.isAsleep());
    world.directRequest();
    await world.until(() => !world.isAsleep());
    await world.advance(3_000);
    expect(world.routedTo()).toBe("dlx");
    expect(await world.close()).toEqual(clean);
  });

  it("is diverted while it is awake, and sleeps by what the DLXs count from then on", async () => {
    const world = await World.open({ capabilities: { routing: true, settleWithinMs: 500 } });
    const autoscaler = await world.openAutoscaler();
    await world.until(() => world.routedTo() === "dlx", 3_000);
    expect(world.isAsleep()).toBe(false);
    await world.advance(8_000);
    world.directRequest();
    await world.advance(8_000);
    expect(autoscaler.lastDecision("memory/default/web")).toMatchObject({ reason: "recent-activity" });
    await world.until(() => world.isAsleep(), 5_000);
    expect(await world.close()).toEqual(clean);
  });

  it("is not known to be diverted any more once somebody else has moved its version, where no route is shown", async () => {
    const world = await World.open({ capabilities: { routing: true, settleWithinMs: 500 }, tellsRoutes: false });
    const autoscaler = await world.openAutoscaler();
    await world.until(() => world.routedTo() === "dlx", 3_000);
    world.memory.fail("setScale", new ScalerError("SCALER_FORBIDDEN", "no"));
    world.memory.scaleByHand(web, 2);
    await world.advance(60_000);
    expect(autoscaler.lastDecision("memory/default/web")).toMatchObject({ reason: "not-diverted" });
    world.memory.fail("setScale", undefined);
    await world.until(() => world.isAsleep());
    expect(await world.close()).toEqual(clean);
  });

  it("is diverted anew after a wake by somebody who may have restored it", async () => {
    const world = await World.open({ capabilities: { routing: true, settleWithinMs: 500 }, restores: true });
    await world.openAutoscaler();
    await world.until(() => world.isAsleep());
    world.dlx.request(web).finish();
    await world.until(() => !world.isAsleep() && world.routedTo() === "dlx", 3_000);
    await world.advance(3_000);
    expect(world.routedTo()).toBe("dlx");
    await world.until(() => world.isAsleep(), 20_000);
    expect(await world.close()).toEqual(clean);
  });
});

describe("the reconciler", () => {
  it("diverts what somebody scaled to zero by hand, so that the next request finds a DLX", async () => {
    const world = await directWorld();
    await world.openAutoscaler({ source: new DirectTraffic() });
    world.memory.scaleByHand(web, 0);
    await world.until(() => world.routedTo() === "dlx", 3_000);
    expect(world.isAsleep()).toBe(true);
    world.directRequest();
    await world.until(() => !world.isAsleep(), 2_000);
    expect(await world.close()).toEqual(clean);
  });

  it("restores a divert that a process left behind, once nobody has touched it for sleepTimeout", async () => {
    const { world, pause, autoscaler, source } = await pausedAt("fence");
    await autoscaler[Symbol.asyncDispose]();
    pause.resume();
    expect(world.routedTo()).toBe("dlx");
    source.open = 1;
    await world.openAutoscaler({ source });
    await world.advance(defaultConfig.sleepTimeout - 1_000);
    expect(world.routedTo()).toBe("dlx");
    await world.until(() => world.routedTo() === "resource", 4_000);
    expect(world.isAsleep()).toBe(false);
    expect(await world.close()).toEqual(clean);
  });

  it("restores only once all instances are in place", async () => {
    const { world, pause, source } = await pausedAt("fence", { startMs: 30_000 });
    world.memory.scaleByHand(web, 3);
    pause.resume();
    source.open = 1;
    await world.until(() => world.sleeps().length > 0);
    await world.advance(25_000);
    expect(world.routedTo()).toBe("dlx");
    await world.until(() => world.routedTo() === "resource", 30_000);
    expect(world.memory.resource(web).read().ready).toBe(3);
    expect(await world.close()).toEqual(clean);
  });

  it("asserts a route that is not shown once for each version, then leaves it alone", async () => {
    const world = await directWorld({ tellsRoutes: false });
    const source = new DirectTraffic();
    source.open = 1;
    await world.openAutoscaler({ source });
    await world.until(() => world.memory.calls.some(({ call }) => call === "routeTraffic"));
    const writes = () => world.memory.calls.filter(({ call }) => call === "setScale" || call === "routeTraffic").length;
    const before = writes();
    await world.advance(300_000);
    expect(writes()).toBe(before);
    world.memory.scaleByHand(web, 2);
    await world.advance(300_000);
    expect(writes()).toBe(before + 2);
    expect(world.desired()).toBe(2);
    expect(await world.close()).toEqual(clean);
  });

  it("loses to a wake that comes between its mark and its divert", async () => {
    const world = await directWorld({ resources: [{ name: "web", desired: 0, policy: { idleRules } }] });
    const held = Promise.withResolvers<void>();
    let isHeld = false;
    world.memory.beforeCall = ({ call, to }) => {
      if (call !== "routeTraffic" || to !== "dlx" || isHeld) return;
      isHeld = true;
      return held.promise;
    };
    await world.openAutoscaler({ source: new DirectTraffic() });
    await world.until(() => isHeld);
    const request = world.dlx.request(web);
    await world.until(() => request.state === "in-flight");
    await world.until(() => world.routedTo() === "resource");
    held.resolve();
    await world.advance(5_000);
    expect(world.routedTo()).toBe("resource");
    expect(world.isAsleep()).toBe(false);
    request.finish();
    expect(await world.close()).toEqual(clean);
  });

  it.each([true, false])("restores after a divert whose answer was lost, routes are shown: %s", async (tellsRoutes) => {
    const world = await directWorld({ tellsRoutes });
    const source = new DirectTraffic();
    source.open = 1;
    await world.openAutoscaler({ source });
    if (!tellsRoutes) await world.until(() => world.memory.calls.some(({ to }) => to === "resource"));
    await world.advance(1_000);
    const original = world.memory.afterCall;
    world.memory.afterCall = async (call, signal) => {
      await original?.(call, signal);
      if (call.to !== "dlx") return;
      source.open = 1;
      throw new ScalerError("SCALER_TIMEOUT", "no answer");
    };
    source.open = 0;
    await world.until(() => world.routedTo() === "dlx");
    await world.until(() => world.routedTo() === "resource", 5_000);
    expect(world.sleeps()).toMatchObject([{ outcome: "failed", code: "SCALER_TIMEOUT" }]);
    expect(await world.close()).toEqual(clean);
  });

  it("waits longer after each failure, and mends once it can", async () => {
    const world = await directWorld({ resources: [{ name: "web", desired: 0, policy: { idleRules } }] });
    let failures = 0;
    world.memory.beforeCall = ({ call }) => {
      if (call !== "routeTraffic" || failures >= 5) return;
      failures += 1;
      throw new Error("no");
    };
    await world.openAutoscaler({ source: new DirectTraffic() });
    await world.advance(10_000);
    expect(failures).toBeLessThan(5);
    await world.until(() => world.routedTo() === "dlx");
    expect(await world.close()).toEqual(clean);
  });

  it("does nothing where this process does not lead", async () => {
    const world = await directWorld({ resources: [{ name: "web", desired: 0, policy: { idleRules } }] });
    const elector = {
      isLeader: () => false,
      lead: () => new Promise<void>(() => {}),
      [Symbol.asyncDispose]: async () => {},
    };
    const waiting = {
      ...elector,
      lead: (signal: AbortSignal) =>
        new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true })),
    };
    await world.openAutoscaler({ source: new DirectTraffic(), elector: waiting });
    await world.advance(60_000);
    expect(world.memory.calls.some(({ call }) => call === "setScale" || call === "routeTraffic")).toBe(false);
    expect(await world.close()).toEqual(clean);
  });
});
