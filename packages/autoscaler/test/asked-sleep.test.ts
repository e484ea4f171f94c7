import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Pause } from "./pause.ts";
import { clean, SwitchedElector, web, World } from "./world.ts";

let world: World;

beforeEach(async () => {
  world = await World.open();
});

afterEach(async () => {
  expect(await world.close()).toEqual(clean);
});

const order = { by: "operator", reason: "asked for by an operator" };

describe("a sleep that an operator asks for", () => {
  it("skips idleness", async () => {
    const autoscaler = await world.openAutoscaler();
    world.dlx.request(web).finish();
    await world.advance(500);
    expect(await autoscaler.sleep(web, order)).toMatchObject({
      outcome: "done",
      by: "operator",
      reason: "asked for by an operator",
      from: 1,
      to: 0,
    });
    expect(world.isAsleep()).toBe(true);
  });

  it("does not skip safety: what is in flight keeps it awake, and the refusal says so", async () => {
    const autoscaler = await world.openAutoscaler();
    const request = world.dlx.request(web);
    await world.advance(500);
    expect(await autoscaler.sleep(web, order)).toMatchObject({
      outcome: "refused",
      code: "in-flight",
      reason: "Requests are in flight: dlx-1.",
    });
    expect(world.isAsleep()).toBe(false);
    request.finish();
  });

  it("does not delay the next sleep by having been refused, however often", async () => {
    const autoscaler = await world.openAutoscaler();
    const request = world.dlx.request(web);
    await world.advance(500);
    for (let times = 0; times < 10; times += 1)
      expect(await autoscaler.sleep(web, order)).toMatchObject({ outcome: "refused" });
    request.finish();
    await autoscaler.tick();
    expect(autoscaler.lastDecision("memory/default/web")).toMatchObject({ reason: "recent-activity" });
  });

  it("is refused where a DLX does not answer", async () => {
    const autoscaler = await world.openAutoscaler();
    world.dlx.onActivity = () => Promise.reject(new Error("no"));
    expect(await autoscaler.sleep(web, order)).toMatchObject({ outcome: "refused", code: "dlx-unknown" });
  });

  it("is refused where this process does not lead", async () => {
    const autoscaler = await world.openAutoscaler({ elector: new SwitchedElector(false) });
    expect(await autoscaler.sleep(web, order)).toMatchObject({ outcome: "refused", code: "not-leader" });
    expect(world.sleeps()).toHaveLength(1);
    expect(world.isAsleep()).toBe(false);
  });

  it("is done at once where it sleeps already", async () => {
    world.memory.scaleByHand(web, 0);
    const autoscaler = await world.openAutoscaler();
    expect(await autoscaler.sleep(web, order)).toMatchObject({
      outcome: "done",
      from: 0,
      to: 0,
      reason: "It is asleep already.",
    });
    expect(world.memory.calls.some(({ call }) => call === "setScale")).toBe(false);
  });

  it("is rejected for a resource that nobody knows", async () => {
    const autoscaler = await world.openAutoscaler();
    await expect(autoscaler.sleep({ ...web, name: "none" }, order)).rejects.toMatchObject({ code: "SCALER_NOT_FOUND" });
  });

  it("waits for a sleep that runs, and has what that one achieved", async () => {
    const pause = new Pause("stop");
    const autoscaler = await world.openAutoscaler({ at: pause.at });
    await world.until(() => pause.isReached);
    const asked = autoscaler.sleep(web, order);
    await world.advance(500);
    pause.resume();
    await world.advance(500);
    expect(await asked).toMatchObject({ outcome: "done", reason: "It is asleep already." });
    expect(world.memory.calls.filter(({ replicas }) => replicas === 0)).toHaveLength(1);
  });

  it("is given up before it begins where its autoscaler is closed", async () => {
    const autoscaler = await world.openAutoscaler();
    world.dlx.onActivity = () => new Promise(() => {});
    const asked = autoscaler.sleep(web, order);
    await autoscaler[Symbol.asyncDispose]();
    expect(await asked).toMatchObject({ outcome: "refused", code: "aborted" });
    await expect(autoscaler.sleep(web, order)).resolves.toMatchObject({ outcome: "refused", code: "aborted" });
  });
});
