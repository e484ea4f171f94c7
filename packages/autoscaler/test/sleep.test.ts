import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sleepSteps } from "../src/index.ts";
import { clean, web, World } from "./world.ts";

let world: World;
const calls = () =>
  world.memory.calls.filter(({ call }) => call === "getResource" || call === "setScale" || call === "routeTraffic");

beforeEach(async () => {
  world = await World.open();
});

afterEach(async () => {
  expect(await world.close()).toEqual(clean);
});

describe("a resource that nobody uses", () => {
  it("is put to sleep once it has been idle, watched and awake for long enough, and not before", async () => {
    await world.openAutoscaler();
    await world.advance(9_900);
    expect(world.isAsleep()).toBe(false);
    await world.advance(1_200);
    expect(world.isAsleep()).toBe(true);
  });

  it("goes by read, mark, list, fence and a stop at the version of the mark", async () => {
    await world.openAutoscaler();
    const before = world.memory.resource(web).version;
    await world.until(() => world.isAsleep());
    const marked = calls().findIndex(({ replicas }) => replicas === 1);
    expect(calls()[marked - 1]).toMatchObject({ call: "getResource" });
    expect(calls()[marked]).toMatchObject({ call: "setScale", replicas: 1, ifVersion: before });
    const stop = calls()[marked + 1];
    expect(stop).toMatchObject({ call: "setScale", replicas: 0 });
    expect(stop!.ifVersion).not.toBe(before);
    const markAt = world.memory.calls.indexOf(calls()[marked]!);
    const stopAt = world.memory.calls.indexOf(stop!);
    expect(world.listings.filter((at) => at > markAt && at <= stopAt)).not.toHaveLength(0);
    expect(world.dlx.fences).toHaveLength(1);
  });

  it("leaves one event with who, why, from, to and the time of each step", async () => {
    await world.openAutoscaler();
    await world.until(() => world.isAsleep());
    await world.advance(1_000);
    expect(world.sleeps()).toHaveLength(1);
    const [event] = world.sleeps();
    expect(event).toMatchObject({
      by: "autoscaler",
      outcome: "done",
      from: 1,
      to: 0,
      reason: "It has been idle for long enough.",
    });
    expect(Object.keys(event!.phases!)).toEqual(sleepSteps.filter((step) => step !== "divert"));
  });

  it("keeps the count from before for the next wake", async () => {
    world.memory.scaleByHand(web, 3);
    await world.openAutoscaler();
    await world.until(() => world.isAsleep());
    expect(world.memory.resource(web).read().wakeReplicas).toBe(3);
    world.dlx.request(web).finish();
    await world.until(() => world.desired() === 3);
  });

  it("sleeps, wakes and sleeps again, request after request", async () => {
    await world.openAutoscaler();
    for (let round = 0; round < 5; round += 1) {
      await world.until(() => world.isAsleep());
      const request = world.dlx.request(web);
      request.finish();
      await request.answered;
      expect(world.isAsleep()).toBe(false);
    }
  });
});

describe("a resource that is used", () => {
  it("stays awake while a request is in flight, however long", async () => {
    await world.openAutoscaler();
    const request = world.dlx.request(web);
    await world.advance(300_000);
    expect(world.isAsleep()).toBe(false);
    expect(world.dlx.fences).toEqual([]);
    request.finish();
    await world.advance(9_000);
    expect(world.isAsleep()).toBe(false);
    await world.until(() => world.isAsleep(), 4_000);
  });

  it("stays awake while it is used once within each idleAfter", async () => {
    await world.openAutoscaler();
    for (let round = 0; round < 30; round += 1) {
      world.dlx.request(web).finish();
      await world.advance(9_000);
    }
    expect(world.isAsleep()).toBe(false);
    expect(world.sleeps()).toEqual([]);
  });

  it("keeps while any of several DLXs has seen it lately", async () => {
    const second = world.addDlx();
    await world.openAutoscaler();
    await world.advance(9_000);
    second.request(web).finish();
    await world.advance(9_000);
    expect(world.isAsleep()).toBe(false);
    await world.until(() => world.isAsleep(), 4_000);
  });
});

describe("what an autoscaler does not know", () => {
  it("keeps while a listed DLX does not answer, and goes on once it does", async () => {
    const second = world.addDlx();
    second.onActivity = () => new Promise(() => {});
    const autoscaler = await world.openAutoscaler();
    await world.advance(60_000);
    expect(world.isAsleep()).toBe(false);
    expect(autoscaler.lastDecision("memory/default/web")).toMatchObject({
      decision: "keep",
      reason: "dlx-unknown",
      words: "A listed DLX did not say what it is doing: dlx-2.",
    });
    second.onActivity = () => {};
    await world.until(() => world.isAsleep(), 5_000);
  });

  it("keeps while the DLXs cannot be listed", async () => {
    const autoscaler = await world.openAutoscaler();
    world.onList = () => {
      throw new Error("no list");
    };
    await world.advance(60_000);
    expect(autoscaler.lastDecision("memory/default/web")).toMatchObject({ reason: "peers-unknown" });
    expect(world.isAsleep()).toBe(false);
  });

  it("counts a DLX that has just started with its uptime", async () => {
    await world.openAutoscaler();
    await world.advance(9_000);
    world.addDlx();
    await world.advance(9_000);
    expect(world.isAsleep()).toBe(false);
    await world.until(() => world.isAsleep(), 3_000);
  });

  it("watches for a new window once a DLX is gone, since what it saw last is lost", async () => {
    const second = world.addDlx();
    await world.openAutoscaler();
    await world.advance(9_000);
    second.crash();
    world.dlxs.pop();
    await world.advance(9_000);
    expect(world.isAsleep()).toBe(false);
    await world.until(() => world.isAsleep(), 3_000);
  });

  it("leaves everything to itself where there is no DLX", async () => {
    world.dlxs.pop();
    const autoscaler = await world.openAutoscaler();
    await world.advance(60_000);
    expect(world.isAsleep()).toBe(false);
    expect(autoscaler.lastDecision("memory/default/web")).toMatchObject({ reason: "no-dlx" });
  });
});
