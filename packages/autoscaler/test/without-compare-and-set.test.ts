import { ScalerError } from "@dormouse/core";
import { describe, expect, it } from "vitest";
import { Pause } from "./pause.ts";
import { clean, web, World, type WorldOptions } from "./world.ts";

const options: WorldOptions = { capabilities: { compareAndSet: false, settleWithinMs: 3_000 } };

describe("a platform that cannot compare and set", () => {
  it("never sleeps where the DLXs are other processes", async () => {
    const world = await World.open(options);
    const autoscaler = await world.openAutoscaler();
    await world.advance(60_000);
    expect(autoscaler.lastDecision("memory/default/web")).toMatchObject({ decision: "keep", reason: "unguarded" });
    expect(await autoscaler.sleep(web, { by: "operator", reason: "asked" })).toMatchObject({
      outcome: "refused",
      code: "unguarded",
    });
    expect(world.isAsleep()).toBe(false);
    expect(await world.close()).toEqual(clean);
  });

  it("sleeps there where its policy takes the risk", async () => {
    const world = await World.open({
      ...options,
      resources: [{ name: "web", desired: 1, policy: { sleep: "best-effort" } }],
    });
    await world.openAutoscaler();
    await world.until(() => world.isAsleep());
    expect(await world.close()).toEqual(clean);
  });

  it("sleeps in one process without a mark, and wakes again", async () => {
    const world = await World.open(options);
    await world.openAutoscaler({ singleHost: true });
    await world.until(() => world.isAsleep());
    expect(world.memory.calls.filter(({ call }) => call === "setScale")).toMatchObject([{ replicas: 0 }]);
    const request = world.dlx.request(web);
    request.finish();
    await world.until(() => request.state === "answered");
    expect(await world.close()).toEqual(clean);
  });

  it("stores a count that somebody else wrote before it stops, so that a wake comes back to it", async () => {
    const world = await World.open(options);
    const resource = world.memory.resource(web);
    const read = resource.read.bind(resource);
    resource.read = () => ({ ...read(), wakeReplicas: 7 });
    await world.openAutoscaler({ singleHost: true });
    await world.until(() => world.sleeps().length > 0);
    const writes = world.memory.calls.filter(({ call }) => call === "setScale");
    expect(writes).toMatchObject([{ replicas: 1 }, { replicas: 0 }]);
    expect(await world.close()).toEqual(clean);
  });

  it.each(["fence", "stop"] as const)(
    "is kept by a request that comes at the %s, before the stop is sent",
    async (step) => {
      const world = await World.open(options);
      const pause = new Pause(step);
      await world.openAutoscaler({ singleHost: true, at: pause.at });
      await world.until(() => pause.isReached);
      const request = world.dlx.request(web);
      await world.advance(1_000);
      pause.resume();
      await world.until(() => request.state === "in-flight", 1_000);
      expect(world.isAsleep()).toBe(false);
      expect(world.sleeps()).toMatchObject([{ outcome: "kept" }]);
      expect(["cancelled", "held"]).toContain(world.sleeps()[0]!.code);
      request.finish();
      expect(await world.close()).toEqual(clean);
    },
  );

  it("sends no wake between the fence and the known outcome", async () => {
    const world = await World.open(options);
    const stopping = Promise.withResolvers<void>();
    let isStopping = false;
    world.memory.beforeCall = ({ replicas }) => {
      if (replicas !== 0 || isStopping) return;
      isStopping = true;
      return stopping.promise;
    };
    await world.openAutoscaler({ singleHost: true });
    await world.until(() => isStopping);
    const request = world.dlx.request(web);
    await world.advance(1_000);
    expect(world.memory.calls.some(({ replicas }) => replicas === 1)).toBe(false);
    stopping.resolve();
    await world.until(() => request.state === "in-flight", 1_000);
    request.finish();
    expect(await world.close()).toEqual(clean);
  });

  it("holds what comes after a stop of unknown outcome until it can have no effect any more", async () => {
    const world = await World.open(options);
    world.memory.beforeCall = ({ replicas }) => {
      if (replicas === 0) throw new ScalerError("SCALER_TIMEOUT", "no answer");
    };
    await world.openAutoscaler({ singleHost: true });
    await world.until(() => world.sleeps().length > 0);
    expect(world.sleeps()).toMatchObject([{ outcome: "failed", code: "SCALER_TIMEOUT" }]);
    world.memory.beforeCall = undefined;
    const request = world.dlx.request(web);
    await world.advance(1_000);
    // The stop lands after all.
    await world.memory.setScale(web, 0);
    expect(request.state).toBe("held");
    await world.until(() => request.state === "in-flight", 3_000);
    request.finish();
    expect(await world.close()).toEqual(clean);
  });

  it("begins no second sleep before the first can have no effect any more", async () => {
    const world = await World.open({ ...options, capabilities: { compareAndSet: false, settleWithinMs: 60_000 } });
    const autoscaler = await world.openAutoscaler({ singleHost: true });
    world.memory.beforeCall = ({ replicas }) => {
      if (replicas === 0) throw new ScalerError("SCALER_TIMEOUT", "no answer");
    };
    await world.until(() => world.sleeps().length > 0);
    world.memory.beforeCall = undefined;
    expect(await autoscaler.sleep(web, { by: "operator", reason: "asked" })).toMatchObject({
      outcome: "kept",
      code: "settling",
    });
    await world.until(() => world.isAsleep(), 180_000);
    expect(await world.close()).toEqual(clean);
  });

  it("is kept where somebody scales it between the read and the stop", async () => {
    const world = await World.open(options);
    const pause = new Pause("stop");
    await world.openAutoscaler({ singleHost: true, at: pause.at });
    await world.until(() => pause.isReached);
    world.memory.scaleByHand(web, 3);
    pause.resume();
    await world.advance(500);
    expect(world.desired()).toBe(3);
    expect(world.sleeps()).toMatchObject([{ outcome: "kept", code: "conflict" }]);
    expect(await world.close()).toEqual(clean);
  });

  it("routes with the version of a mark all the same", async () => {
    const world = await World.open({ capabilities: { compareAndSet: false, routing: true, settleWithinMs: 500 } });
    await world.openAutoscaler({ singleHost: true });
    await world.until(() => world.routedTo() === "dlx", 3_000);
    await world.until(() => world.isAsleep());
    world.directRequest();
    await world.until(() => !world.isAsleep(), 3_000);
    expect(await world.close()).toEqual(clean);
  });
});
