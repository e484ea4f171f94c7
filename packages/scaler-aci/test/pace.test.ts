import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { kindOf, problem } from "./fake/fake-arm.ts";
import { type Fleet, openFleet } from "./numbers/open-fleet.ts";
import { rejectionOf } from "./open-on.ts";

// In virtual time, with the default options.

let fleet: Fleet;
const ref = { namespace: "fleet", name: "g0" };

beforeEach(async () => {
  fleet = await openFleet(2, 20_000);
});

afterEach(async () => fleet.close());

/** Virtual times at which the fake was asked for something, in ms. */
function timesOf(kind: string): readonly number[] {
  const times: number[] = [];
  fleet.arm.faults.unshift((request) => {
    if (kindOf(request) === kind) times.push(fleet.clock.monotonic());
    return undefined;
  });
  return times;
}

async function refusalOf(call: () => Promise<unknown>): ReturnType<typeof rejectionOf> {
  return fleet.run(async () => rejectionOf(call()));
}

describe("a group that stays in transition", () => {
  beforeEach(() => {
    fleet.arm.faults = [
      (request) =>
        kindOf(request) === "stop" ? problem(409, "ContainerGroupTransitioning", "still transitioning") : undefined,
    ];
  });

  it("is asked with growing waits, and given up with a known outcome before the host's deadline", async () => {
    const times = timesOf("stop");
    const error = await refusalOf(async () => fleet.scaler.setScale(ref, 0));
    expect(error).toMatchObject({ code: "SCALER_CONFLICT", retryable: true });
    expect(error.message).toContain("still transitioning");
    expect(times).toEqual([0, 2_000, 6_000]);
    expect(fleet.clock.monotonic()).toBeLessThan(10_000);
  });

  it("is not asked more often by a host that repeats its call at once", async () => {
    const times = timesOf("stop");
    for (let call = 0; call < 4; call += 1) await refusalOf(async () => fleet.scaler.setScale(ref, 0));
    const gaps = times.slice(3).map((at, index) => at - (times[index + 2] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(6_000);
  });
});

describe("a group that starts", () => {
  it("is read at most every two seconds for those who only want its targets", async () => {
    await fleet.run(async () => fleet.scaler.setScale(ref, 1));
    const times = timesOf("get");
    const from = fleet.clock.monotonic();
    await fleet.run(async () => {
      while (fleet.clock.monotonic() < from + 10_000) {
        await Promise.all([1, 2, 3].map(async () => fleet.scaler.resolveTargets(ref, undefined)));
        await fleet.clock.sleep(5);
      }
    });
    const gaps = times.slice(1).map((at, index) => at - (times[index] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(2_000);
    expect(times.length).toBeGreaterThanOrEqual(5);
  });

  it("and does not come up is looked at ever less often", async () => {
    const group = [...fleet.arm.groups.values()][0];
    if (group !== undefined) group.plan = { kind: "hold" };
    await fleet.run(async () => fleet.watch());
    await fleet.run(async () => fleet.scaler.setScale(ref, 1));
    const times = timesOf("get");
    await fleet.run(async () => fleet.clock.sleep(600_000));
    const early = times.filter((at) => at < 30_000).length;
    const late = times.filter((at) => at >= 570_000).length;
    expect(early).toBeGreaterThanOrEqual(10);
    expect(late).toBeLessThanOrEqual(2);
  });
});

describe("a refusal for the rate", () => {
  it("stops everything of its kind for as long as Azure says, and readings go on", async () => {
    let isRefused = false;
    fleet.arm.faults = [
      (request) => {
        if (kindOf(request) !== "start" || isRefused) return undefined;
        isRefused = true;
        return { ...problem(429, "TooManyRequests", "slower"), headers: { "Retry-After": "30" } };
      },
    ];
    expect(await refusalOf(async () => fleet.scaler.setScale(ref, 1))).toMatchObject({ retryAfterMs: 30_000 });
    const other = { ...ref, name: "g1" };
    expect(await refusalOf(async () => fleet.scaler.setScale(other, 1))).toMatchObject({
      code: "SCALER_RATE_LIMITED",
    });
    expect(await fleet.run(async () => fleet.scaler.getResource(other))).toMatchObject({ desired: 0 });
    expect(fleet.arm.count()["start"]).toBe(1);
    await fleet.run(async () => fleet.clock.sleep(30_000));
    await fleet.run(async () => fleet.scaler.setScale(ref, 1));
    expect(fleet.arm.count()["start"]).toBe(2);
  });
});
