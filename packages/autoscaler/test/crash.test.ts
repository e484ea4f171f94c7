import { type IdleRule, type MetricsSource, ScalerError } from "@dormouse/core";
import { describe, expect, it } from "vitest";
import { type SleepStep, sleepSteps } from "../src/index.ts";
import { Pause } from "./pause.ts";
import { clean, SwitchedElector, web, World } from "./world.ts";

const idleRules: IdleRule[] = [{ metric: "open", window: 10_000, threshold: 0 }];

/** Nobody ever goes straight to the resource. */
const quiet: MetricsSource = {
  read: async ({ resources }) => resources.map((ref) => ({ ref, value: 0, ageMs: 0 })),
  [Symbol.asyncDispose]: async () => {},
};

type Routing = "through the DLX" | "with traffic of its own";

function openWorld(routing: Routing): Promise<World> {
  if (routing === "through the DLX") return World.open({ dlxs: 2 });
  const resources = [{ name: "web", desired: 1, policy: { idleRules } }];
  return World.open({ dlxs: 2, restores: true, resources, capabilities: { routing: true, settleWithinMs: 500 } });
}

function stepsOf(routing: Routing): readonly SleepStep[] {
  return sleepSteps.filter((step) => step !== "divert" || routing === "with traffic of its own");
}

const cases = (["through the DLX", "with traffic of its own"] as const).flatMap((routing) =>
  stepsOf(routing).map((step) => [step, routing] as const),
);

/** Asks by both DLXs and directly, and ends with all of it answered, asleep, and the next request answered too. */
async function assertEndsWell(world: World): Promise<void> {
  const requests = world.dlxs.map((dlx) => dlx.request(web));
  for (const request of requests) request.finish();
  await world.until(() => requests.every((request) => request.state === "answered"), 10_000);
  world.directRequest();
  await world.until(() => world.isAsleep());
  if (world.scaler.capabilities.routing) await world.until(() => world.routedTo() === "dlx", 10_000);
  const last = world.dlx.request(web);
  last.finish();
  await world.until(() => last.state === "answered", 10_000);
}

describe.each(cases)("at %s, %s", (step, routing) => {
  it("a process that ends leaves nothing that the next one does not mend", async () => {
    const world = await openWorld(routing);
    const pause = new Pause(step);
    const first = await world.openAutoscaler({ source: quiet, at: pause.at });
    await world.until(() => pause.isReached);
    await first[Symbol.asyncDispose]();
    await world.openAutoscaler({ source: quiet });
    await assertEndsWell(world);
    expect(await world.close()).toEqual(clean);
  });

  it("a request that comes there is answered, and the resource sleeps later", async () => {
    const world = await openWorld(routing);
    const pause = new Pause(step);
    await world.openAutoscaler({ source: quiet, at: pause.at });
    await world.until(() => pause.isReached);
    const requests = world.dlxs.map((dlx) => dlx.request(web));
    await world.advance(1_000);
    pause.resume();
    await world.until(() => requests.every((request) => request.state === "in-flight"), 10_000);
    await world.advance(30_000);
    expect(world.isAsleep()).toBe(false);
    for (const request of requests) request.finish();
    await assertEndsWell(world);
    expect(await world.close()).toEqual(clean);
  });

  it("a leader that pauses there and goes on long after another took over cuts nothing", async () => {
    const world = await openWorld(routing);
    const pause = new Pause(step);
    const elector = new SwitchedElector(true);
    await world.openAutoscaler({ source: quiet, at: pause.at, elector });
    await world.until(() => pause.isReached);
    elector.leads = false;
    await world.openAutoscaler({ source: quiet });
    const request = world.dlxs[1]!.request(web);
    await world.until(() => request.state === "in-flight");
    await world.advance(60_000);
    pause.resume();
    await world.advance(5_000);
    expect(world.isAsleep()).toBe(false);
    request.finish();
    await assertEndsWell(world);
    expect(await world.close()).toEqual(clean);
  });

  it("a leader that pauses there goes on while another's sleep is at the same step, and both end well", async () => {
    const world = await openWorld(routing);
    const [mine, theirs] = [new Pause(step), new Pause(step)];
    await world.openAutoscaler({ source: quiet, at: mine.at });
    await world.until(() => mine.isReached);
    const other = await world.openAutoscaler({ source: quiet, at: theirs.at });
    await world.advance(30_000);
    mine.resume();
    theirs.resume();
    await world.advance(5_000);
    await other[Symbol.asyncDispose]();
    await assertEndsWell(world);
    expect(await world.close()).toEqual(clean);
  });

  it("an operator or a host that ends it there leaves it kept", async () => {
    const world = await openWorld(routing);
    const pause = new Pause(step);
    const autoscaler = await world.openAutoscaler({ source: quiet, at: pause.at });
    await world.advance(2_000);
    const abort = new AbortController();
    const sleep = autoscaler.sleep(web, { by: "operator", reason: "asked", signal: abort.signal });
    await world.until(() => pause.isReached);
    abort.abort();
    const event = await sleep;
    const expected =
      step === "done" ? { outcome: "done" } : { outcome: step === "read" ? "refused" : "kept", code: "aborted" };
    expect(event).toMatchObject(expected);
    expect(world.isAsleep()).toBe(step === "done");
    await assertEndsWell(world);
    expect(await world.close()).toEqual(clean);
  });
});

const failures = [
  ["refused", (): ScalerError => new ScalerError("SCALER_FORBIDDEN", "no"), "beforeCall"],
  ["unreachable", (): ScalerError => new ScalerError("SCALER_UNAVAILABLE", "no"), "beforeCall"],
  ["accepted with its answer lost", (): ScalerError => new ScalerError("SCALER_TIMEOUT", "no"), "afterCall"],
] as const;

const callsOfSleep = [
  ["the read", "getResource", undefined],
  ["the mark", "setScale", 1],
  ["the divert", "routeTraffic", undefined],
  ["the stop", "setScale", 0],
] as const;

describe.each(callsOfSleep)("%s", (_, name, replicas) => {
  it.each(failures)("that is %s fails this sleep alone", async (_, error, where) => {
    const world = await openWorld("with traffic of its own");
    const original = world.memory[where];
    let isBroken = true;
    world.memory[where] = async (call, signal) => {
      await original?.(call, signal);
      if (isBroken && call.call === name && call.replicas === replicas) throw error();
    };
    await world.openAutoscaler({ source: quiet });
    await world.until(() => world.sleeps().length > 0);
    expect(world.sleeps()[0]).toMatchObject({ outcome: "failed", code: error().code });
    isBroken = false;
    await assertEndsWell(world);
    expect(await world.close()).toEqual(clean);
  });
});
