import { ScalerError } from "@dormouse/core";
import { describe, expect, it } from "vitest";
import type { SleepStep } from "../src/index.ts";
import { Pause } from "./pause.ts";
import { clean, web, World, type WorldOptions } from "./world.ts";

/*
 * Each of these lost a request in an earlier form of the protocol, as a model of it found; docs/guarantees.md tells why
 * the protocol is as it is.
 */

async function pausedAt(step: SleepStep, options: WorldOptions = {}) {
  const world = await World.open(options);
  const pause = new Pause(step);
  const autoscaler = await world.openAutoscaler({ at: pause.at });
  await world.until(() => pause.isReached);
  return { world, pause, autoscaler };
}

describe("between the last fence and the stop, however long that takes", () => {
  it("a request is forwarded, and the stop is refused by its claim", async () => {
    const { world, pause } = await pausedAt("stop");
    await world.advance(3_600_000);
    const request = world.dlx.request(web);
    await world.until(() => request.state === "in-flight");
    pause.resume();
    await world.advance(1_000);
    expect(world.sleeps()).toMatchObject([{ outcome: "kept", code: "conflict" }]);
    expect(world.isAsleep()).toBe(false);
    request.finish();
    expect(await world.close()).toEqual(clean);
  });

  it("a claim moves the version though the resource is awake already", async () => {
    const { world, pause } = await pausedAt("stop");
    const before = world.memory.resource(web).version;
    world.dlx.request(web).finish();
    await world.advance(100);
    expect(world.desired()).toBe(1);
    expect(world.memory.resource(web).version).not.toBe(before);
    pause.resume();
    await world.advance(500);
    expect(world.isAsleep()).toBe(false);
    expect(await world.close()).toEqual(clean);
  });

  it("the version is never read again: the stop carries that of the mark", async () => {
    const { world, pause } = await pausedAt("stop");
    const mark = world.memory.resource(web).version;
    world.dlx.request(web).finish();
    await world.advance(100);
    const from = world.memory.calls.length;
    pause.resume();
    await world.advance(100);
    expect(world.memory.calls.slice(from)[0]).toMatchObject({ call: "setScale", replicas: 0, ifVersion: mark });
    expect(await world.close()).toEqual(clean);
  });

  it("somebody scales by hand, and the stop is refused", async () => {
    const { world, pause } = await pausedAt("stop");
    world.memory.scaleByHand(web, 4);
    pause.resume();
    await world.advance(500);
    expect(world.desired()).toBe(4);
    expect(world.sleeps()).toMatchObject([{ outcome: "kept", code: "conflict" }]);
    expect(await world.close()).toEqual(clean);
  });

  it("mere status changes, and the stop is accepted all the same", async () => {
    const { world, pause } = await pausedAt("stop");
    world.memory.resource(web).crash();
    pause.resume();
    await world.advance(500);
    expect(world.isAsleep()).toBe(true);
    expect(await world.close()).toEqual(clean);
  });
});

describe("a stop whose answer is lost", () => {
  it("lands late, after the request that came meanwhile has claimed, and is refused", async () => {
    const world = await World.open();
    const landing = Promise.withResolvers<void>();
    world.memory.beforeCall = (call, signal) => {
      if (call.call !== "setScale" || call.replicas !== 0) return;
      // The call is given up by its deadline, but what was sent still arrives.
      signal?.addEventListener("abort", () => landing.resolve(), { once: true });
      return new Promise(() => {});
    };
    await world.openAutoscaler();
    await world.until(() => world.sleeps().length > 0);
    expect(world.sleeps()).toMatchObject([{ outcome: "failed", code: "SCALER_TIMEOUT" }]);
    await landing.promise;
    const stop = world.memory.calls.findLast(({ replicas }) => replicas === 0)!;
    world.memory.beforeCall = undefined;
    const request = world.dlx.request(web);
    await world.until(() => request.state === "in-flight");
    await expect(world.memory.setScale(web, 0, { ifVersion: stop.ifVersion! })).rejects.toMatchObject({
      code: "SCALER_CONFLICT",
    });
    request.finish();
    expect(await world.close()).toEqual(clean);
  });

  it("was accepted: nothing is done about it, nothing is lifted, and the next request wakes", async () => {
    const world = await World.open();
    const original = world.memory.afterCall;
    world.memory.afterCall = async (call, signal) => {
      await original?.(call, signal);
      if (call.call === "setScale" && call.replicas === 0) throw new ScalerError("SCALER_TIMEOUT", "no answer");
    };
    await world.openAutoscaler();
    await world.until(() => world.sleeps().length > 0);
    expect(world.isAsleep()).toBe(true);
    expect(world.sleeps()).toMatchObject([{ outcome: "failed" }]);
    expect(world.sleeps()[0]!.reason).toContain("may or may not take effect");
    const from = world.memory.calls.length;
    await world.advance(10_000);
    expect(world.memory.calls.slice(from).filter(({ call }) => call === "setScale")).toEqual([]);
    const request = world.dlx.request(web);
    request.finish();
    await world.until(() => request.state === "answered");
    expect(await world.close()).toEqual(clean);
  });
});

describe("a sleep that is kept after its fence", () => {
  it("lifts nothing: each DLX claims anew with its next request and forwards", async () => {
    const world = await World.open({ dlxs: 2 });
    const [first, second] = world.dlxs;
    second!.answer = (answer) => ({ ...answer, held: 1 });
    await world.openAutoscaler();
    await world.until(() => world.sleeps().length > 0);
    expect(world.sleeps()[0]).toMatchObject({
      outcome: "kept",
      code: "held",
      reason: "Requests are held for it: dlx-2.",
    });
    expect(first!.fences).toEqual(second!.fences);
    for (const dlx of world.dlxs) {
      const request = dlx.request(web);
      await world.until(() => request.state === "in-flight", 1_000);
      request.finish();
      expect(dlx.claims).toBe(1);
    }
    expect(await world.close()).toEqual(clean);
  });
});

describe("a claim that was sent before the fence and used after it", () => {
  it("is void: the request that comes after claims again, and the stop is refused", async () => {
    const world = await World.open({ startMs: 2_000 });
    const pause = new Pause("stop");
    await world.openAutoscaler({ at: pause.at });
    await world.until(() => pause.isReached);
    // Its client leaves while the claim is under way; a late fence comes in between.
    const claiming = world.dlx.request(web);
    await world.advance(0);
    await world.dlx.fence(web, "late");
    claiming.finish();
    pause.resume();
    await world.advance(5_000);
    expect(claiming.state).toBe("answered");
    expect(world.isAsleep()).toBe(false);
    expect(world.sleeps()[0]).toMatchObject({ outcome: "kept", code: "conflict" });
    expect(await world.close()).toEqual(clean);
  });
});

describe("the list of DLXs", () => {
  it("is read after the mark: one that joins in between is fenced", async () => {
    const { world, pause } = await pausedAt("list");
    const joined = world.addDlx();
    const request = joined.request(web);
    await world.until(() => request.state === "in-flight");
    request.finish();
    pause.resume();
    await world.advance(500);
    expect(joined.fences).toHaveLength(1);
    expect(world.isAsleep()).toBe(false);
    expect(await world.close()).toEqual(clean);
  });

  it("is used whole: one that joins in between and is in use keeps the resource awake", async () => {
    const { world, pause } = await pausedAt("list");
    const request = world.addDlx().request(web);
    await world.until(() => request.state === "in-flight");
    pause.resume();
    await world.advance(500);
    expect(world.sleeps()[0]).toMatchObject({ outcome: "kept", code: "in-flight" });
    expect(world.isAsleep()).toBe(false);
    request.finish();
    expect(await world.close()).toEqual(clean);
  });

  it("is used whole: one that is listed and does not answer, as a stopping one may, keeps the resource awake", async () => {
    const { world, pause } = await pausedAt("list");
    const stopping = world.addDlx();
    stopping.onFence = () => new Promise(() => {});
    pause.resume();
    await world.advance(3_000);
    expect(world.sleeps()[0]).toMatchObject({ outcome: "kept", code: "fence-unknown" });
    expect(world.isAsleep()).toBe(false);
    expect(await world.close()).toEqual(clean);
  });

  it("is empty by then: the resource stays awake", async () => {
    const { world, pause } = await pausedAt("list");
    world.dlxs.pop()!.crash();
    pause.resume();
    await world.advance(500);
    expect(world.sleeps()[0]).toMatchObject({ outcome: "kept", code: "no-dlx" });
    expect(world.isAsleep()).toBe(false);
    expect(await world.close()).toEqual(clean);
  });
});

describe("fences", () => {
  it("count only by an answer to this attempt", async () => {
    const world = await World.open();
    world.dlx.answer = (answer) => ({ ...answer, attempt: "another" });
    await world.openAutoscaler();
    await world.until(() => world.sleeps().length > 0);
    expect(world.sleeps()[0]).toMatchObject({ outcome: "kept", code: "fence-unknown" });
    expect(world.isAsleep()).toBe(false);
    expect(await world.close()).toEqual(clean);
  });

  it("that come twice or late, hours after their sleep, cost a claim and nothing else", async () => {
    const world = await World.open();
    await world.openAutoscaler();
    await world.until(() => world.isAsleep());
    const request = world.dlx.request(web);
    await world.until(() => request.state === "in-flight");
    await world.dlx.fence(web, world.dlx.fences[0]!);
    await world.dlx.fence(web, world.dlx.fences[0]!);
    const next = world.dlx.request(web);
    await world.until(() => next.state === "in-flight", 1_000);
    expect(world.dlx.claims).toBe(2);
    request.finish();
    next.finish();
    expect(await world.close()).toEqual(clean);
  });

  it("are answered with a request in flight that the decision did not see, and the resource stays awake", async () => {
    const { world, pause } = await pausedAt("fence");
    const request = world.dlx.request(web);
    await world.until(() => request.state === "in-flight");
    pause.resume();
    await world.advance(500);
    expect(world.sleeps()[0]).toMatchObject({ outcome: "kept", code: "in-flight" });
    request.finish();
    expect(await world.close()).toEqual(clean);
  });
});
