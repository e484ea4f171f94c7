import { getEventListeners } from "node:events";
import { type Counter, metrics, type MeterProvider } from "@opentelemetry/api";
import type { IdleRule, LeaderElector, MetricsSource } from "@dormouse/core";
import { afterEach, describe, expect, it } from "vitest";
import { sleepSteps } from "../src/index.ts";
import { Pause } from "./pause.ts";
import { clean, defaultConfig, quickPolicy, SwitchedElector, web, World } from "./world.ts";

const key = "memory/default/web";

/** Counts what is added to each counter, by its name and attributes. */
function countMetrics(): Map<string, number> {
  const counts = new Map<string, number>();
  const counter = (name: string): Partial<Counter> => ({
    add: (value, attributes = {}) => {
      const labelled = `${name}${JSON.stringify(attributes)}`;
      counts.set(labelled, (counts.get(labelled) ?? 0) + value);
    },
  });
  metrics.setGlobalMeterProvider({
    getMeter: () => ({ createCounter: counter, createHistogram: () => ({ record: () => {} }) }),
  } as unknown as MeterProvider);
  return counts;
}

afterEach(() => metrics.disable());

describe("the loop", () => {
  it("makes one tick at a time, and a call for one joins it", async () => {
    const world = await World.open();
    const autoscaler = await world.openAutoscaler();
    await world.advance(100);
    const hold = Promise.withResolvers<void>();
    let asked = 0;
    world.dlx.onActivity = () => {
      asked += 1;
      return hold.promise;
    };
    const ticks = [autoscaler.tick(), autoscaler.tick(), autoscaler.tick()];
    await world.advance(1_500);
    expect(asked).toBe(1);
    hold.resolve();
    await Promise.all(ticks);
    expect(await world.close()).toEqual(clean);
  });

  it("survives whatever fails in a tick, and goes on at its pace", async () => {
    const world = await World.open();
    let ticks = 0;
    const list = world.catalog.list.bind(world.catalog);
    world.catalog.list = () => {
      ticks += 1;
      if (ticks < 4) throw new Error("the catalogue fails");
      return list();
    };
    const autoscaler = await world.openAutoscaler();
    await world.advance(3_500);
    expect(autoscaler.lastDecision(key)).toMatchObject({ reason: "observing" });
    await world.until(() => world.isAsleep());
    expect(await world.close()).toEqual(clean);
  });

  it("campaigns again where its elector fails, and does nothing meanwhile", async () => {
    const world = await World.open();
    let campaigns = 0;
    const elector: LeaderElector = {
      isLeader: () => {
        if (campaigns < 3) throw new Error("no lease yet");
        return true;
      },
      lead: async (signal) => {
        campaigns += 1;
        if (campaigns < 3) throw new Error("no lease");
        await new SwitchedElector(true).lead(signal);
      },
      [Symbol.asyncDispose]: async () => {},
    };
    await world.openAutoscaler({ elector });
    await world.until(() => world.isAsleep());
    expect(campaigns).toBe(3);
    expect(await world.close()).toEqual(clean);
  });

  it("takes a new pace at once, and new sources", async () => {
    const world = await World.open({ config: { every: 3_600_000 } });
    const autoscaler = await world.openAutoscaler();
    await world.advance(60_000);
    expect(world.isAsleep()).toBe(false);
    autoscaler.reconfigure(defaultConfig, new Map());
    await world.until(() => world.isAsleep(), 2_000);
    expect(await world.close()).toEqual(clean);
  });

  it("refuses a tick after its end", async () => {
    const world = await World.open();
    const autoscaler = await world.openAutoscaler();
    await autoscaler[Symbol.asyncDispose]();
    await autoscaler[Symbol.asyncDispose]();
    await expect(autoscaler.tick()).rejects.toMatchObject({ code: "SCALER_DISPOSED" });
    expect(await world.close()).toEqual(clean);
  });

  it("asks each source once a tick for each metric and window, however many resources there are", async () => {
    const queries: string[] = [];
    const source: MetricsSource = {
      read: async ({ metric, windowMs, resources }) => {
        queries.push(`${metric} ${String(windowMs)} ${String(resources.length)}`);
        return [];
      },
      [Symbol.asyncDispose]: async () => {},
    };
    const idleRules: IdleRule[] = [
      { metric: "open", window: 5_000, threshold: 0 },
      { metric: "open", window: 9_000, threshold: 0 },
      { metric: "jobs", window: 5_000, threshold: 0 },
    ];
    const resources = Array.from({ length: 200 }, (_, index) => ({
      name: `r${String(index)}`,
      desired: index < 150 ? 1 : 0,
      policy: { idleRules },
    }));
    const world = await World.open({ resources });
    await world.openAutoscaler({ source });
    await world.advance(100);
    expect(queries.sort()).toEqual(["jobs 5000 150", "open 5000 150", "open 9000 150"]);
    expect(await world.close()).toEqual(clean);
  });

  it("lets one resource's or one source's failure be its own", async () => {
    const broken: MetricsSource = {
      read: () => Promise.reject(new Error("down")),
      [Symbol.asyncDispose]: async () => {},
    };
    const hanging: MetricsSource = { read: () => new Promise(() => {}), [Symbol.asyncDispose]: async () => {} };
    const rule = (source: string): IdleRule => ({ metric: "m", window: 5_000, threshold: 0, source });
    const world = await World.open({
      resources: [
        { name: "web", desired: 1 },
        { name: "broken", desired: 1, policy: { idleRules: [rule("broken")] } },
        { name: "hanging", desired: 1, policy: { idleRules: [rule("hanging")] } },
        { name: "unknown", desired: 1, policy: { idleRules: [rule("unknown")] } },
      ],
    });
    const sources = new Map([
      ["broken", broken],
      ["hanging", hanging],
    ]);
    const autoscaler = await world.openAutoscaler({ sources });
    await world.until(() => world.isAsleep());
    const reasonOf = (name: string) => autoscaler.lastDecision(`memory/default/${name}`)!.words;
    expect(reasonOf("broken")).toContain("SCALER_UNAVAILABLE: down");
    expect(reasonOf("hanging")).toContain("SCALER_TIMEOUT");
    expect(reasonOf("unknown")).toContain('no source "unknown" is configured');
    expect(await world.close()).toEqual(clean);
  });

  it("counts ticks, decisions and sleeps", async () => {
    const counts = countMetrics();
    const world = await World.open();
    await world.openAutoscaler();
    await world.until(() => world.isAsleep());
    await world.advance(2_000);
    expect(counts.get("dormouse_autoscaler_heartbeat_total{}")).toBeGreaterThanOrEqual(10);
    expect(counts.get('dormouse_decisions_total{"decision":"keep","reason":"observing"}')).toBeGreaterThanOrEqual(9);
    expect(counts.get('dormouse_decisions_total{"decision":"sleep","reason":"idle"}')).toBe(1);
    expect(counts.get(`dormouse_sleeps_total{"resource":"${key}","outcome":"done"}`)).toBe(1);
    expect(await world.close()).toEqual(clean);
  });
});

describe("many resources that are idle at once", () => {
  it("sleep a few at a time, and those that wait are decided anew each tick", async () => {
    const resources = Array.from({ length: 12 }, (_, index) => ({ name: `r${String(index)}`, desired: 1 }));
    const world = await World.open({ resources, config: { concurrency: 3 } });
    let running = 0;
    let most = 0;
    world.memory.beforeCall = async ({ replicas }, signal) => {
      if (replicas !== 0) return;
      running += 1;
      most = Math.max(most, running);
      await world.clock.sleep(2_500, signal);
      running -= 1;
    };
    await world.openAutoscaler();
    const late = { scaler: "memory", namespace: "default", name: "r11" };
    await world.until(() => running === 3);
    world.dlx.request(late).finish();
    await world.until(() => resources.slice(0, 11).every(({ name }) => world.isAsleep({ ...late, name })), 30_000);
    expect(most).toBe(3);
    expect(world.sleeps(late)).toEqual([]);
    expect(world.isAsleep(late)).toBe(false);
    expect(await world.close()).toEqual(clean);
  });
});

describe("leadership", () => {
  const stepsBeforeStop = sleepSteps.filter((step) => !["divert", "stop", "done"].includes(step));

  it.each(stepsBeforeStop)("lost at %s ends the sleep before the next act", async (step) => {
    const world = await World.open();
    const pause = new Pause(step);
    const elector = new SwitchedElector(true);
    await world.openAutoscaler({ at: pause.at, elector });
    await world.until(() => pause.isReached);
    elector.leads = false;
    const from = world.memory.calls.length;
    pause.resume();
    await world.advance(500);
    expect(world.sleeps()).toMatchObject([{ outcome: "kept", code: "not-leader" }]);
    const written = world.memory.calls.slice(from).filter(({ call }) => call === "setScale");
    expect(written).toHaveLength(step === "mark" ? 1 : 0);
    expect(world.dlx.fences).toHaveLength(step === "fence" ? 1 : 0);
    expect(await world.close()).toEqual(clean);
  });

  it("is told as the reason where another leads, and a new leader watches for a full window", async () => {
    const world = await World.open();
    const elector = new SwitchedElector(false);
    const autoscaler = await world.openAutoscaler({ elector });
    await world.advance(60_000);
    expect(autoscaler.lastDecision(key)).toMatchObject({ reason: "not-leader" });
    expect(world.listings).toEqual([]);
    elector.leads = true;
    await world.advance(9_000);
    expect(world.isAsleep()).toBe(false);
    await world.until(() => world.isAsleep(), 3_000);
    expect(await world.close()).toEqual(clean);
  });
});

describe("a resource that cannot run", () => {
  it("is put to sleep once wakeTimeout is over and nobody waits for it", async () => {
    const world = await World.open({ resources: [{ name: "web", desired: 0 }] });
    world.memory.setFailure(web, { code: "SCALER_IMAGE_PULL", message: "no such image" });
    world.memory.scaleByHand(web, 1);
    const autoscaler = await world.openAutoscaler();
    await world.advance(29_000);
    const decision = autoscaler.lastDecision(key)!;
    expect(decision.reason).toBe("waking");
    expect(decision.next).toMatch(/^it has to become ready, or is put to sleep in [12]s$/);
    expect(world.isAsleep()).toBe(false);
    await world.until(() => world.isAsleep(), 4_000);
    expect(world.sleeps()).toMatchObject([
      { outcome: "done", reason: "It has failed for `wakeTimeout`, and nobody waits for it." },
    ]);
    expect(await world.close()).toEqual(clean);
  });

  it("is left to whoever waits for it", async () => {
    const world = await World.open({ resources: [{ name: "web", desired: 0 }] });
    world.memory.setFailure(web, { code: "SCALER_IMAGE_PULL", message: "no such image" });
    const request = world.dlx.request(web);
    await world.openAutoscaler();
    await world.advance(quickPolicy.wakeTimeout! * 3);
    expect(world.isAsleep()).toBe(false);
    world.memory.setFailure(web, undefined);
    request.finish();
    await world.until(() => request.state === "answered");
    expect(await world.close()).toEqual(clean);
  });
});

describe("a policy that changes", () => {
  it("holds from the next tick on, and one that opts out ends a sleep that was decided", async () => {
    const world = await World.open();
    const pause = new Pause("read");
    const autoscaler = await world.openAutoscaler({ at: pause.at });
    await world.until(() => pause.isReached);
    world.memory.changePolicy(web, { ...quickPolicy, enabled: false });
    pause.resume();
    await world.advance(1_000);
    expect(world.sleeps()).toMatchObject([{ outcome: "kept", code: "not-enabled" }]);
    await world.advance(60_000);
    expect(autoscaler.lastDecision(key)).toMatchObject({ reason: "not-enabled" });
    expect(world.isAsleep()).toBe(false);
    expect(await world.close()).toEqual(clean);
  });

  it("counts minAwake from an update by somebody else, not from a mark of its own", async () => {
    const world = await World.open({ resources: [{ name: "web", desired: 1, policy: { minAwake: 30_000 } }] });
    const autoscaler = await world.openAutoscaler();
    await world.advance(25_000);
    world.dlx.answer = (answer) => ({ ...answer, held: 1 });
    await world.until(() => world.sleeps().length > 0);
    await world.advance(1_000);
    expect(autoscaler.lastDecision(key)!.reason).not.toBe("min-awake");
    world.dlx.answer = (answer) => answer;
    world.memory.scaleByHand(web, 2);
    await world.advance(1_500);
    expect(autoscaler.lastDecision(key)).toMatchObject({ reason: "min-awake" });
    expect(await world.close()).toEqual(clean);
  });
});

describe("over a long time", () => {
  it("leaves no timer, no listener and no growing memory behind", async () => {
    const world = await World.open({ dlxs: 2 });
    const elector = new SwitchedElector(true);
    const autoscaler = await world.openAutoscaler({ elector });
    const counts: object[] = [];
    for (let hour = 0; hour < 24; hour += 1) {
      const requests = world.dlxs.map((dlx) => dlx.request(web));
      await world.until(() => requests.every((request) => request.state === "in-flight"));
      for (const request of requests) request.finish();
      await world.until(() => world.isAsleep());
      for (let round = 0; round < 36; round += 1) await world.clock.advance(100_000);
      counts.push({ timers: world.clock.pendingTimers, listeners: getEventListeners(elector.life!, "abort").length });
    }
    expect(counts).toEqual(counts.map(() => counts[0]));
    expect(world.sleeps()).toHaveLength(24);
    await autoscaler[Symbol.asyncDispose]();
    expect(getEventListeners(elector.life!, "abort")).toEqual([]);
    expect(await world.close()).toEqual(clean);
  });
});
