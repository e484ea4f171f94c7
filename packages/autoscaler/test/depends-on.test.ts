import type { Capabilities } from "@dormouse/core";
import { afterEach, describe, expect, it } from "vitest";
import { Pause } from "./pause.ts";
import { clean, World } from "./world.ts";

const database = { scaler: "memory", namespace: "default", name: "db" };
const shop = { scaler: "memory", namespace: "default", name: "shop" };
const blog = { scaler: "memory", namespace: "default", name: "blog" };

let world: World;

function openWorld(shopPolicy: object = {}, capabilities: Partial<Capabilities> = {}): Promise<World> {
  return World.open({
    capabilities,
    resources: [
      { name: "db", desired: 1 },
      { name: "shop", desired: 1, policy: { dependsOn: ["db"], ...shopPolicy } },
      { name: "blog", desired: 0, policy: { dependsOn: ["memory/default/db"] } },
    ],
  });
}

afterEach(async () => {
  expect(await world.close()).toEqual(clean);
});

describe("a resource that others depend on", () => {
  it("sleeps only once the last of them sleeps", async () => {
    world = await openWorld();
    const autoscaler = await world.openAutoscaler();
    const request = world.dlx.request(shop);
    await world.advance(60_000);
    expect(autoscaler.lastDecision("memory/default/db")).toMatchObject({
      reason: "needed",
      words: "A resource that depends on it is not asleep: memory/default/shop.",
    });
    request.finish();
    await world.until(() => world.isAsleep(shop));
    expect(world.isAsleep(database)).toBe(false);
    await world.until(() => world.isAsleep(database));
  });

  it("is kept where one of them wakes after the decision: they are read after the mark", async () => {
    world = await openWorld();
    const pause = new Pause("mark");
    await world.until(() => world.catalog.list().length === 3);
    world.memory.scaleByHand(shop, 0);
    await world.openAutoscaler({ at: pause.at });
    await world.until(() => pause.isReached);
    const from = world.memory.calls.length;
    world.memory.scaleByHand(blog, 1);
    pause.resume();
    await world.advance(500);
    const calls = world.memory.calls.slice(from).filter(({ ref }) => ref?.name === "db" || ref?.name === "blog");
    expect(calls.slice(0, 2)).toMatchObject([
      { call: "setScale", ref: { name: "db" }, replicas: 1 },
      { call: "getResource", ref: { name: "blog" } },
    ]);
    expect(world.sleeps(database)).toMatchObject([{ outcome: "kept", code: "needed" }]);
    expect(world.isAsleep(database)).toBe(false);
  });

  it("is kept without compare-and-set too where one of them wakes after the decision", async () => {
    world = await openWorld({}, { compareAndSet: false, watch: false });
    world.memory.scaleByHand(shop, 0);
    const pause = new Pause("stop");
    await world.openAutoscaler({ at: pause.at, singleHost: true });
    await world.until(() => pause.isReached);
    world.memory.scaleByHand(blog, 1);
    pause.resume();
    await world.advance(500);
    expect(world.sleeps(database)).toMatchObject([{ outcome: "kept", code: "needed" }]);
    expect(world.isAsleep(database)).toBe(false);
  });

  it("is kept where one of them cannot be read", async () => {
    world = await openWorld();
    world.memory.scaleByHand(shop, 0);
    world.memory.beforeCall = ({ call, ref }) => {
      if (call === "getResource" && ref?.name === "blog") throw new Error("no");
    };
    await world.openAutoscaler();
    await world.until(() => world.sleeps(database).length > 0);
    expect(world.sleeps(database)[0]).toMatchObject({ outcome: "kept", code: "users-unknown" });
  });

  it("cannot be put to sleep by an operator either", async () => {
    world = await openWorld();
    const autoscaler = await world.openAutoscaler();
    await world.advance(2_000);
    expect(await autoscaler.sleep(database, { by: "operator", reason: "asked" })).toMatchObject({
      outcome: "refused",
      code: "needed",
    });
  });
});
