import type { DecisionRecord } from "@dormouse/autoscaler";
import { type CatalogEntry, defaultPolicy, type ResourceState } from "@dormouse/core";
import type { DlxResourceStatus } from "@dormouse/dlx";
import { describe, expect, it } from "vitest";
import { someEvent } from "../../test/fake-admin-host.ts";
import { explainResource, type Explained } from "./explain-resource.ts";

const now = 1_700_000_000_000;

function entry(state: ResourceState, over: Partial<CatalogEntry["resource"]> = {}): CatalogEntry {
  const resource = {
    ref: { namespace: "default", name: "a" },
    desired: 1,
    ready: 1,
    wakeReplicas: 2,
    version: "v",
    ports: [],
    policy: {
      ...defaultPolicy,
      hosts: ["a.test", "b.test"],
      pathPrefix: "/x",
      headers: { h: "v" },
      listen: ["127.0.0.1:1"],
      idleAfter: 30_000,
    },
    createdAt: 0,
    updatedAt: 0,
    ...over,
  };
  return {
    ref: { scaler: "s", namespace: "default", name: "a" },
    key: "s/default/a",
    scaler: {} as CatalogEntry["scaler"],
    resource,
    state,
  };
}

const quiet: DlxResourceStatus = {
  licensed: true,
  held: 0,
  inFlight: 0,
  requests: 3,
  idleForMs: 18_000,
  lastActivityAt: now - 18_000,
  backoffLeftMs: 0,
  targets: [],
};

function decision(over: Partial<DecisionRecord> = {}): DecisionRecord {
  return {
    at: now - 500,
    decision: "keep",
    reason: "recent-activity",
    words: "It was used.",
    next: "it sleeps in 12s",
    nextCheckInMs: 12_500,
    ...over,
  };
}

function explain(over: Partial<Explained> = {}) {
  return explainResource({
    entry: entry({ kind: "awake", since: now - 40_000 }),
    traffic: quiet,
    decision: decision(),
    lastWake: undefined,
    lastSleep: undefined,
    tickMs: 1_000,
    warnings: [],
    addresses: [],
    now,
    ...over,
  });
}

describe("a resource that is left alone", () => {
  const refusal = { code: "SCALER_BAD_OPTIONS", message: "two workloads behind one Service" } as const;

  it("stays as it is while it is awake, until what is written about it is put right", () => {
    const refused = explain({ entry: entry({ kind: "awake", since: now - 40_000 }, { refusal }) });
    expect(refused).toMatchObject({ refusal, next: { kind: "stay" } });
    expect(refused.because[0]).toContain("left alone");
  });

  it("is still woken by a request where it sleeps", () => {
    const refused = explain({
      entry: entry({ kind: "asleep", since: now - 40_000 }, { desired: 0, ready: 0, refusal }),
    });
    expect(refused).toMatchObject({ refusal, next: { kind: "wake-on-request" } });
  });
});

it("shows the listeners that a platform diverts to", () => {
  const ports = [{ name: "http", number: 80, protocol: "http", listen: "0.0.0.0:20000" }] as const;
  const { routes } = explain({ entry: entry({ kind: "awake", since: now - 40_000 }, { ports }) });
  expect(routes).toContain("listener 0.0.0.0:20000 for its own port http");
});

describe("an awake resource", () => {
  it("sleeps with the tick after the time that its decision gives, less what has passed since", () => {
    expect(explain()).toMatchObject({ next: { kind: "sleep", inMs: 12_000 }, because: ["It was used."] });
  });

  it("that was used since the decision sleeps later", () => {
    expect(explain({ traffic: { ...quiet, idleForMs: 200 } }).next).toEqual({ kind: "sleep", inMs: 30_000 });
  });

  it("that is in use stays, whatever was decided before", () => {
    expect(
      explain({
        traffic: { ...quiet, inFlight: 2, held: 1 },
        decision: decision({ decision: "sleep", reason: "idle" }),
      }),
    ).toMatchObject({
      next: { kind: "stay" },
      because: ["2 requests are in flight and 1 are held."],
    });
  });

  it("that is decided to sleep does so with the next tick", () => {
    expect(explain({ decision: decision({ decision: "sleep", reason: "idle" }) }).next).toEqual({
      kind: "sleep",
      inMs: 0,
    });
  });

  it("that something else than time keeps stays until that happens", () => {
    const { nextCheckInMs: _, ...kept } = decision({
      reason: "rule-busy",
      words: "A rule is above.",
      next: "it has to fall",
    });
    expect(explain({ decision: kept })).toMatchObject({
      next: { kind: "stay", until: "it has to fall" },
      because: ["A rule is above."],
    });
  });

  it.each([undefined, decision({ at: now - 40_001, reason: "asleep", words: "It is asleep." })])(
    "that nobody has looked at since it is awake says so, whatever was decided before: %#",
    (earlier) => {
      expect(explain({ decision: earlier })).toMatchObject({
        next: { kind: "stay", until: "the autoscaler looks every 1s" },
        because: ["The autoscaler has not looked at it since it is awake."],
      });
    },
  );
});

describe("other states", () => {
  it("an asleep one wakes on the next request", () => {
    const report = explain({ entry: entry({ kind: "asleep", since: now }), traffic: { ...quiet, wakeP95Ms: 400 } });
    expect(report.next).toEqual({ kind: "wake-on-request", notBeforeMs: 0, typicalWakeMs: 400 });
  });

  it("a failed one gives the platform's words, and when the next try may be", () => {
    const failure = { code: "SCALER_START_FAILED", message: "exit code 1" } as const;
    const report = explain({
      entry: entry({ kind: "failed", since: now, failure }),
      traffic: { ...quiet, backoffLeftMs: 4_000 },
      decision: undefined,
    });
    expect(report).toMatchObject({
      failure,
      next: { kind: "wake-on-request", notBeforeMs: 4_000 },
      because: ["The platform says: exit code 1"],
    });
  });

  it("a waking one says who waits", () => {
    const report = explain({
      entry: entry({ kind: "waking", since: now }),
      traffic: { ...quiet, held: 3, wakeP95Ms: 400 },
    });
    expect(report).toMatchObject({
      next: { kind: "running", operation: "wake", typicalMs: 400 },
      because: ["3 requests are held until it is awake.", "It has replicas that are not ready yet."],
    });
  });

  it("a sleeping one ends", () => {
    expect(explain({ entry: entry({ kind: "sleeping", since: now }) }).next).toEqual({
      kind: "running",
      operation: "sleep",
    });
  });
});

describe("the cause", () => {
  it("is the wake that ended as the state began", () => {
    expect(explain({ lastWake: someEvent({ at: now - 40_003 }) }).cause).toEqual({
      by: "request",
      reason: "a request is held",
      at: now - 40_003,
    });
  });

  it("is unknown where the state began long after the last wake: somebody else has changed it", () => {
    expect(explain({ lastWake: someEvent({ at: now - 90_000 }) })).not.toHaveProperty("cause");
  });

  it("of sleep is the sleep, also where the last instances took a while to end", () => {
    const lastSleep = someEvent({ kind: "sleep", by: "autoscaler", reason: "idle", at: now - 15_000 });
    const report = explain({
      entry: entry({ kind: "asleep", since: now - 5_000 }),
      lastSleep,
      lastWake: someEvent({ at: now - 5_000 }),
    });
    expect(report.cause).toMatchObject({ by: "autoscaler" });
  });

  it("is no sleep that came to nothing", () => {
    const lastSleep = someEvent({ kind: "sleep", outcome: "kept", at: now });
    expect(explain({ entry: entry({ kind: "asleep", since: now }), lastSleep })).not.toHaveProperty("cause");
  });
});

it("lists every way that leads to the resource", () => {
  expect(explain().routes).toEqual(["a.test/x with h: v", "b.test/x with h: v", "listener 127.0.0.1:1"]);
  expect(
    explain({ entry: entry({ kind: "asleep", since: now }, { policy: { ...defaultPolicy, pathPrefix: "/only" } }) })
      .routes,
  ).toEqual(["any host/only"]);
  expect(explain({ entry: entry({ kind: "asleep", since: now }, { policy: defaultPolicy }) }).routes).toEqual([]);
});

it("lists the same for programs, by the addresses that are really bound", () => {
  const addresses = [
    { listen: "127.0.0.1:8080" },
    { listen: "127.0.0.1:1", resource: "s/default/a" },
    { listen: "127.0.0.1:2", resource: "s/default/b" },
  ];
  const condition = { path: "/x", headers: { h: "v" } };
  expect(explain({ addresses }).entrances).toEqual([
    { listen: "127.0.0.1:1" },
    { listen: "127.0.0.1:8080", host: "a.test", ...condition },
    { listen: "127.0.0.1:8080", host: "b.test", ...condition },
  ]);
  const unrouted = entry({ kind: "asleep", since: now }, { policy: defaultPolicy });
  expect(explain({ addresses: [{ listen: "127.0.0.1:8080" }], entry: unrouted }).entrances).toEqual([]);
});
