import { defaultPolicy } from "@dormouse/core";
import { FakeClock } from "@dormouse/core/testing";
import { beforeEach, describe, expect, it } from "vitest";
import { Group } from "./group.ts";
import { type GroupFacts, readGroupFacts } from "./group-facts.ts";

const id = { subscription: "s", resourceGroup: "shop", name: "web" };
const ref = { namespace: "shop", name: "web" };

let clock: FakeClock;
let order: number;
let group: Group;

/** An answer about the group; a run is named by its start time. */
function facts(state: string | undefined, run?: string, provisioningState = "Succeeded"): GroupFacts {
  const read = readGroupFacts({
    provisioningState,
    instanceView: { state },
    ipAddress: { ip: "10.0.0.9", ports: [{ port: 80 }] },
    containers: [
      {
        name: "app",
        ports: [{ port: 80 }],
        ...(run !== undefined && {
          instanceView: { restartCount: 0, currentState: { state: "Running", startTime: run } },
        }),
      },
    ],
  });
  if (read === undefined) throw new Error("it was not read");
  return read;
}

function reading(seen: GroupFacts): Parameters<Group["observe"]>[0] {
  order += 1;
  return { facts: seen, policy: { policy: { ...defaultPolicy, enabled: true } }, begunAt: clock.monotonic(), order };
}

function open(seen: GroupFacts): Group {
  const nextOrder = (): number => (order += 1);
  const context = {
    clock,
    defaults: defaultPolicy,
    settleWithinMs: 5_000,
    nextOrder,
    nextVersion: () => `v${nextOrder()}`,
  };
  return new Group(id, ref, reading(seen), context);
}

function targets(): readonly string[] {
  return group.targets(undefined).map((target) => target.id);
}

beforeEach(() => {
  clock = new FakeClock();
  order = 0;
  group = open(facts("Running", "T1"));
});

describe("after a stop", () => {
  it("the run that it ends is no target any more, however healthy it looks", () => {
    expect(targets()).toHaveLength(1);
    group.accepted(0, undefined);
    expect(targets()).toEqual([]);
    group.observe(reading(facts("Running", "T1")));
    expect(targets()).toEqual([]);
    expect(group.toResource()).toMatchObject({ desired: 0, ready: 1 });
  });

  it("and a quick wake the old run stays out, and the next one comes in", () => {
    group.accepted(0, undefined);
    group.accepted(1, "https://arm/operation");
    group.observe(reading(facts("Running", "T1")));
    expect(targets()).toEqual([]);
    group.observe(reading(facts("Running", "T2")));
    expect(targets()).toEqual(["T2.0@10.0.0.9"]);
  });

  it("a run without a name comes in once the group was seen without one", () => {
    group.accepted(0, undefined);
    group.accepted(1, "https://arm/operation");
    group.observe(reading(facts("Running")));
    expect(targets()).toEqual([]);
    group.observe(reading(facts("Pending", undefined, "Creating")));
    group.observe(reading(facts("Running")));
    expect(targets()).toHaveLength(1);
  });

  it("a reading that began before it says nothing", () => {
    const old = reading(facts("Running", "T1"));
    const version = group.accepted(0, undefined);
    group.observe(reading(facts("Stopped")));
    group.observe(old);
    expect(group.toResource()).toMatchObject({ desired: 0, ready: 0, version });
  });

  it("whose outcome is unknown nothing is a target until it can have no effect any more", () => {
    group.doubted(0);
    group.observe(reading(facts("Running", "T1")));
    expect(targets()).toEqual([]);
    expect(group.toResource().desired).toBe(1);
    group.accepted(1, undefined);
    group.observe(reading(facts("Running", "T1")));
    expect(targets()).toEqual([]);
  });

  it("whose outcome is unknown, and that was not carried out, the run comes back", async () => {
    group.doubted(0);
    await clock.advance(5_000);
    group.observe(reading(facts("Running", "T1")));
    expect(targets()).toEqual(["T1.0@10.0.0.9"]);
  });

  it("that was seen, somebody else's start is seen at once", () => {
    const version = group.accepted(0, undefined);
    group.observe(reading(facts("Stopped")));
    group.observe(reading(facts("Running", "T2")));
    expect(group.toResource()).toMatchObject({ desired: 1, ready: 1 });
    expect(group.toResource().version).not.toBe(version);
  });

  it("that does not show for a minute somebody else has started the group", async () => {
    group.accepted(0, undefined);
    group.observe(reading(facts("Running", "T1")));
    await clock.advance(60_000);
    group.observe(reading(facts("Running", "T2")));
    expect(group.toResource()).toMatchObject({ desired: 1, ready: 1 });
    expect(targets()).toEqual(["T2.0@10.0.0.9"]);
  });
});

describe("after a start", () => {
  beforeEach(() => {
    group = open(facts("Stopped"));
  });

  it("a group that still shows as stopped is in doubt, and its operation is asked", () => {
    const version = group.accepted(1, "https://arm/operation");
    group.observe(reading(facts("Stopped")));
    expect(group.doubtfulOperation).toBe("https://arm/operation");
    expect(group.toResource()).toMatchObject({ desired: 1, version });
    expect(group.toResource().failure).toBeUndefined();
  });

  it("whose operation has ended well, and that shows as stopped, was stopped by somebody", () => {
    const version = group.accepted(1, "https://arm/operation");
    group.observe(reading(facts("Stopped")));
    group.observeOperation("https://arm/operation", { isDone: true });
    group.observe(reading(facts("Stopped")));
    expect(group.toResource().desired).toBe(0);
    expect(group.toResource().version).not.toBe(version);
  });

  it("that came to nothing has the failure, and keeps the version, until the next write", () => {
    const version = group.accepted(1, "https://arm/operation");
    const problem = { code: "ContainerGroupQuotaReached", message: "no cores" };
    group.observe(reading(facts("Stopped")));
    group.observeOperation("https://arm/operation", { isDone: true, problem });
    group.observe(reading(facts("Stopped")));
    expect(group.toResource()).toMatchObject({ desired: 1, version, failure: { code: "SCALER_QUOTA" } });
    group.accepted(0, undefined);
    expect(group.toResource().failure).toBeUndefined();
  });

  it("an operation of an earlier start says nothing", () => {
    group.accepted(1, "https://arm/first");
    group.accepted(1, "https://arm/second");
    group.observeOperation("https://arm/first", { isDone: true, problem: { code: "X", message: "old" } });
    expect(group.toResource().failure).toBeUndefined();
  });

  it("without an operation a group that stays stopped for a minute is stopped", async () => {
    group.accepted(1, undefined);
    group.observe(reading(facts("Stopped")));
    expect(group.toResource().desired).toBe(1);
    await clock.advance(60_000);
    group.observe(reading(facts("Stopped")));
    expect(group.toResource().desired).toBe(0);
  });

  it("the end of the run before it is no failure of this one", () => {
    group = open(facts("Failed"));
    group.accepted(1, "https://arm/operation");
    group.observe(reading(facts("Failed")));
    expect(group.toResource().failure).toBeUndefined();
  });
});

describe("a version", () => {
  it("moves with each accepted write, to the same count too, and never comes back", () => {
    const versions = [1, 1, 0, 0, 1].map((count) => group.accepted(count === 1 ? 1 : 0, undefined));
    expect(new Set(versions).size).toBe(versions.length);
  });

  it("stands still while a start becomes ready and while a container is restarted", () => {
    group = open(facts("Stopped"));
    const version = group.accepted(1, "https://arm/operation");
    for (const seen of [facts("Pending", undefined, "Creating"), facts("Running", "T1"), facts("Running", "T2")])
      group.observe(reading(seen));
    expect(group.toResource().version).toBe(version);
  });
});

it("a group that nobody has read as stopped is not taken for stopped", () => {
  group = open(facts(undefined));
  expect(group.toResource()).toMatchObject({ desired: 1, ready: 0 });
});
