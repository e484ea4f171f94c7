import { ScalerError } from "@dormouse/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { HoldOptions, Passage } from "../src/gate/passage.ts";
import type { ResourceGate } from "../src/gate/resource-gate.ts";
import { ScriptedPlatform } from "./scripted-platform.ts";

let platform: ScriptedPlatform;
let gate: ResourceGate;

beforeEach(async () => {
  platform = new ScriptedPlatform();
  gate = await platform.add("web");
});

afterEach(async () => {
  platform.before = () => {};
  platform.after = () => {};
  await platform.close();
  expect(platform.clock.pendingTimers).toBe(0);
  const { held, inFlight } = platform.keeper.totals;
  expect({ held, inFlight }).toEqual({ held: 0, inFlight: 0 });
});

function hold(one: ResourceGate = gate, options: Partial<HoldOptions> = {}): Promise<Passage> {
  const passage = one.hold({ arrivedAt: platform.clock.monotonic(), signal: new AbortController().signal, ...options });
  passage.catch(() => {});
  return passage;
}

/** Wakes the resource with one request, which ends at once. */
async function wake(): Promise<void> {
  const passage = hold();
  await platform.clock.advance(0);
  platform.start("web", `web-${platform.clock.monotonic()}`);
  await platform.clock.advance(20);
  (await passage).end();
}

const scales = (): string[] => platform.calls.filter((call) => call.startsWith("setScale"));

describe("a cold request", () => {
  it("is held, wakes the resource by one conditional write, and passes to the instance that answers", async () => {
    const passage = hold();
    await platform.clock.advance(100);
    expect(scales()).toEqual(["setScale web 1 if 1"]);
    expect(gate.book.held).toBe(1);
    platform.start("web", "a");
    await platform.clock.advance(20);
    const { target, cold } = await passage;
    expect(target).toEqual({ id: "a", address: "127.0.0.1", port: 80 });
    expect(cold?.woken).toBe(true);
    expect(cold?.heldMs).toBeGreaterThanOrEqual(100);
    expect(Object.keys(cold?.phases ?? {})).toEqual(expect.arrayContaining(["claim", "start"]));
    expect(gate.book.inFlight).toBe(1);
    (await passage).end();
  });

  it("asks for a name that leads nowhere ten times a second, and not at the pace of dials", async () => {
    const passage = hold();
    await platform.clock.advance(0);
    platform.start("web", "a");
    platform.answering.clear();
    await platform.clock.advance(1_000);
    const refused = platform.dials.length;
    expect(refused).toBeGreaterThan(50);
    platform.refusal = () => Object.assign(new Error("getaddrinfo ENOTFOUND"), { syscall: "getaddrinfo" });
    await platform.clock.advance(1_000);
    expect(platform.dials.length - refused).toBeLessThanOrEqual(11);
    platform.answering.add("a");
    await platform.clock.advance(110);
    (await passage).end();
  });

  it("starts one wake however many requests come", async () => {
    const passages = Array.from({ length: 40 }, () => hold());
    await platform.clock.advance(10);
    platform.start("web", "a");
    await platform.clock.advance(20);
    for (const passage of await Promise.all(passages)) passage.end();
    expect(scales()).toHaveLength(1);
  });

  it("asks for the replicas from before the sleep", async () => {
    platform.change("web", { wakeReplicas: 3 });
    const passage = hold();
    await platform.clock.advance(0);
    platform.start("web", "a");
    await platform.clock.advance(20);
    (await passage).end();
    expect(scales()).toEqual(["setScale web 3 if 1"]);
  });

  it("is answered with its own service's failure where the platform says that it cannot start", async () => {
    const passage = hold();
    await platform.clock.advance(0);
    platform.change("web", { failure: { code: "SCALER_START_FAILED", message: "exit 1: secret" } });
    await platform.clock.advance(20);
    await expect(passage).rejects.toMatchObject({ code: "SCALER_START_FAILED" });
  });

  it("does not fail for one broken replica while another is ready", async () => {
    const passage = hold();
    await platform.clock.advance(0);
    platform.change("web", { failure: { code: "SCALER_CRASH_LOOP", message: "one of two" } });
    platform.change("web", { targets: [{ id: "b", host: "127.0.0.1", port: 80 }] });
    platform.answering.add("b");
    await platform.clock.advance(20);
    expect((await passage).target.id).toBe("b");
    (await passage).end();
  });

  it("ends at holdTimeout while the wake goes on, and the next request finds the resource awake", async () => {
    const late = hold();
    await platform.clock.advance(60_000);
    await expect(late).rejects.toMatchObject({ code: "DLX_WAKE_TIMEOUT" });
    platform.start("web", "a");
    await platform.clock.advance(20);
    expect(gate.awake).toBe(true);
    gate.tryEnter()?.end();
    expect(scales()).toHaveLength(1);
  });

  it("ends earlier where the client has less patience, and never later than from its arrival", async () => {
    const impatient = hold(gate, { patienceMs: 50 });
    await platform.clock.advance(50);
    await expect(impatient).rejects.toMatchObject({ code: "DLX_WAKE_TIMEOUT" });
    await expect(hold(gate, { arrivedAt: platform.clock.monotonic() - 60_000 })).rejects.toMatchObject({
      code: "DLX_WAKE_TIMEOUT",
    });
  });

  it("frees its slot when its client goes, and the wake runs to its end", async () => {
    const client = new AbortController();
    const passage = hold(gate, { signal: client.signal });
    await platform.clock.advance(0);
    client.abort();
    await expect(passage).rejects.toMatchObject({ code: "DLX_CLIENT_GONE" });
    expect(gate.book.held).toBe(0);
    platform.start("web", "a");
    await platform.clock.advance(20);
    expect(gate.awake).toBe(true);
  });
});

describe("bounds", () => {
  it("refuse one more than maxHeld at once, and say when to come again", async () => {
    platform.change("web", { policy: { ...gate.policy, maxHeld: 2 } });
    await platform.clock.advance(0);
    const held = [hold(), hold()];
    await expect(hold()).rejects.toMatchObject({ code: "DLX_HOLD_FULL", retryAfterMs: 5_000 });
    platform.start("web", "a");
    await platform.clock.advance(20);
    for (const passage of await Promise.all(held)) passage.end();
  });

  it.each([
    [{ maxHeld: 0 }, "DLX_HOLD_FULL"],
    [{ holdTimeout: 0 }, "DLX_WAKE_TIMEOUT"],
  ])("of %j hold nothing, but what is refused wakes the resource for the next", async (bound, code) => {
    platform.change("web", { policy: { ...gate.policy, ...bound } });
    await platform.clock.advance(0);
    await expect(hold()).rejects.toMatchObject({ code });
    expect(gate.book.held).toBe(0);
    platform.start("web", "a");
    await platform.clock.advance(20);
    expect(gate.awake).toBe(true);
    gate.tryEnter()?.end();
  });

  it("of the whole process refuse with DLX_OVERLOADED", async () => {
    await platform.close();
    platform = new ScriptedPlatform({}, { maxHeld: 1, maxInFlight: 20 });
    gate = await platform.add("web");
    const other = await platform.add("other");
    const held = hold();
    await expect(hold(other)).rejects.toMatchObject({ code: "DLX_OVERLOADED" });
    platform.start("web", "a");
    await platform.clock.advance(20);
    (await held).end();
  });

  it("pace a release: no more than releaseConcurrency per target wait for their first byte", async () => {
    platform.change("web", { policy: { ...gate.policy, releaseConcurrency: 2 } });
    await platform.clock.advance(0);
    const passed: Passage[] = [];
    for (let request = 0; request < 5; request += 1) void hold().then((passage) => passed.push(passage));
    platform.start("web", "a");
    await platform.clock.advance(20);
    expect(passed).toHaveLength(2);
    passed[0]?.responded();
    await platform.clock.advance(0);
    expect(passed).toHaveLength(3);
    passed[1]?.end();
    await platform.clock.advance(0);
    expect(passed).toHaveLength(4);
    await platform.clock.advance(5_000);
    expect(passed).toHaveLength(5);
    for (const passage of passed) passage.end();
  });

  it("of maxConcurrency hold at any time, also when warm", async () => {
    platform.change("web", { policy: { ...gate.policy, maxConcurrency: 1 } });
    await wake();
    const first = gate.tryEnter();
    expect(first).toBeDefined();
    expect(gate.tryEnter()).toBeUndefined();
    await platform.clock.advance(1);
    const second = hold();
    await platform.clock.advance(0);
    expect(gate.book.held).toBe(1);
    first?.end();
    const passage = await second;
    expect(passage.cold?.woken).toBe(false);
    passage.end();
  });
});

describe("a warm request", () => {
  it("passes in one synchronous step with no call to the platform and no timer", async () => {
    await wake();
    const calls = platform.calls.length;
    const timers = platform.clock.pendingTimers;
    const passage = gate.tryEnter();
    expect(passage?.cold).toBeUndefined();
    passage?.end();
    expect(platform.calls).toHaveLength(calls);
    expect(platform.clock.pendingTimers).toBe(timers);
  });

  it("does not overtake one that is held", async () => {
    platform.change("web", { policy: { ...gate.policy, maxConcurrency: 1 } });
    await wake();
    const first = gate.tryEnter();
    const held = hold();
    expect(gate.tryEnter()).toBeUndefined();
    first?.end();
    (await held).end();
  });

  it("ends once, however often it is told", async () => {
    await wake();
    const passage = gate.tryEnter();
    passage?.end();
    passage?.end();
    expect(gate.book.inFlight).toBe(0);
  });
});

describe("a failed wake", () => {
  async function fail(): Promise<void> {
    const passage = hold();
    await platform.clock.advance(0);
    platform.change("web", { failure: { code: "SCALER_IMAGE_PULL", message: "no such image" } });
    await platform.clock.advance(20);
    await expect(passage).rejects.toMatchObject({ code: "SCALER_IMAGE_PULL" });
  }

  it("is no fact: the next request after the backoff starts a new wake", async () => {
    await fail();
    await expect(hold()).rejects.toMatchObject({ code: "SCALER_IMAGE_PULL" });
    platform.change("web", { failure: undefined });
    await platform.clock.advance(500);
    await wake();
    expect(gate.awake).toBe(true);
  });

  it("makes the next backoff longer, up to half a minute", async () => {
    const waits: number[] = [];
    for (let attempt = 0; attempt < 9; attempt += 1) {
      await fail();
      waits.push(gate.backoffLeftMs);
      await platform.clock.advance(30_000);
    }
    expect(waits[0]).toBeLessThanOrEqual(500);
    expect(waits[4]).toBeGreaterThan(waits[0] ?? 0);
    expect(Math.max(...waits)).toBeLessThanOrEqual(30_000);
  });

  it("refuses all that were held, and counts nothing as held afterwards", async () => {
    const passages = Promise.allSettled([hold(), hold(), hold()]);
    await fail();
    expect((await passages).map((one) => one.status)).toEqual(["rejected", "rejected", "rejected"]);
    expect(gate.book.held).toBe(0);
  });

  it("comes from a resource that is gone, too", async () => {
    const passage = hold();
    platform.remove("web");
    await platform.clock.advance(50);
    await expect(passage).rejects.toMatchObject({ code: "SCALER_NOT_FOUND" });
  });

  it("does not come from a platform that is out of reach for a while", async () => {
    let failures = 5;
    platform.before = (call) => {
      if (call.startsWith("setScale") && (failures -= 1) >= 0)
        throw new ScalerError("SCALER_UNAVAILABLE", "connection refused");
    };
    const passage = hold();
    await platform.clock.advance(10_000);
    platform.start("web", "a");
    await platform.clock.advance(20);
    expect((await passage).target.id).toBe("a");
    (await passage).end();
  });

  it("comes at wakeTimeout from an instance that never answers", async () => {
    platform.change("web", { policy: { ...gate.policy, holdTimeout: 600_000, wakeTimeout: 1_000 } });
    await platform.clock.advance(0);
    const passage = hold();
    await platform.clock.advance(1_000);
    await expect(passage).rejects.toMatchObject({ code: "DLX_WAKE_TIMEOUT" });
  });
});

describe("a fence", () => {
  const ref = { scaler: "test", namespace: "default", name: "web" };

  it("takes the licence: the next request claims by a write that moves the version, though the resource is awake", async () => {
    await wake();
    expect(platform.keeper.fence(ref, "s1")).toMatchObject({ attempt: "s1", inFlight: 0, held: 0 });
    expect(gate.tryEnter()).toBeUndefined();
    const passage = hold();
    await platform.clock.advance(20);
    expect((await passage).cold?.woken).toBe(false);
    (await passage).end();
    expect(scales()).toEqual(["setScale web 1 if 1", "setScale web 1 if 2"]);
  });

  it("voids a claim that was sent before it, though the platform accepts it after", async () => {
    await wake();
    platform.keeper.fence(ref, "s1");
    let accept = (): void => {};
    platform.before = (call) =>
      call.startsWith("setScale") ? new Promise((resolve) => (accept = resolve)) : undefined;
    const passage = hold();
    await platform.clock.advance(20);
    platform.keeper.fence(ref, "s2");
    platform.before = () => {};
    accept();
    await platform.clock.advance(0);
    expect(scales().length).toBeGreaterThanOrEqual(3);
    await platform.clock.advance(20);
    (await passage).end();
  });

  it("voids a claim that was accepted but not used yet", async () => {
    const passage = hold();
    await platform.clock.advance(20);
    platform.keeper.fence(ref, "s1");
    platform.start("web", "a");
    await platform.clock.advance(50);
    (await passage).end();
    expect(scales()).toEqual(["setScale web 1 if 1", "setScale web 1 if 2"]);
  });

  it("answers with what is held and in flight, and closes idle connections", async () => {
    await wake();
    const passage = gate.tryEnter();
    expect(platform.keeper.fence(ref, "s1")).toMatchObject({ inFlight: 1, held: 0 });
    expect(platform.retired).toHaveLength(1);
    passage?.end();
    const held = hold();
    expect(platform.keeper.fence(ref, "s2")).toMatchObject({ inFlight: 0, held: 1 });
    await platform.clock.advance(50);
    (await held).end();
  });

  it("late or repeated costs one claim and nothing more", async () => {
    await wake();
    for (const attempt of ["s1", "s1", "s1"]) platform.keeper.fence(ref, attempt);
    const passage = hold();
    await platform.clock.advance(20);
    (await passage).end();
    expect(scales()).toHaveLength(2);
  });

  it("and the stop behind it lose against a request: the claim raises from 0 again", async () => {
    await wake();
    platform.keeper.fence(ref, "s1");
    platform.change("web", { desired: 0, version: 9, targets: [] });
    const passage = hold();
    await platform.clock.advance(10);
    platform.start("web", "again");
    await platform.clock.advance(20);
    const { cold, target } = await passage;
    expect([cold?.woken, target.id]).toEqual([true, "again"]);
    (await passage).end();
  });
});

describe("a claim", () => {
  it("is repeated on a conflict until it wins", async () => {
    let foreign = 3;
    platform.before = (call) => {
      if (call.startsWith("setScale") && (foreign -= 1) >= 0) platform.change("web", { version: 100 + foreign });
    };
    const passage = hold();
    await platform.clock.advance(1_000);
    platform.start("web", "a");
    await platform.clock.advance(20);
    (await passage).end();
    expect(scales()).toHaveLength(4);
  });

  it("whose answer is lost is made again, and gives no licence by itself", async () => {
    let lost = 1;
    platform.after = (call) => {
      if (call.startsWith("setScale") && (lost -= 1) >= 0) throw new ScalerError("SCALER_TIMEOUT", "no answer");
    };
    const passage = hold();
    await platform.clock.advance(1_000);
    platform.start("web", "a");
    await platform.clock.advance(20);
    (await passage).end();
    expect(scales()).toEqual(["setScale web 1 if 1", "setScale web 1 if 2"]);
  });

  it("is made anew where somebody scales to 0 between claim and dial", async () => {
    const passage = hold();
    await platform.clock.advance(20);
    platform.change("web", { desired: 0, version: 50 });
    await platform.clock.advance(50);
    platform.start("web", "a");
    await platform.clock.advance(20);
    (await passage).end();
    expect(scales()).toEqual(["setScale web 1 if 1", "setScale web 1 if 50"]);
  });
});

describe("targets", () => {
  it("that come later share the load, and those that vanish get nothing", async () => {
    await wake();
    platform.start("web", "second");
    await platform.clock.advance(50);
    expect(gate.targets).toHaveLength(2);
    platform.change("web", { targets: [{ id: "second", host: "127.0.0.1", port: 80 }] });
    await platform.clock.advance(50);
    expect(gate.targets.map((target) => target.id)).toEqual(["second"]);
  });

  it("that cannot be reached are replaced within the same count", async () => {
    await wake();
    platform.start("web", "second");
    await platform.clock.advance(50);
    const passage = gate.tryEnter();
    const first = passage?.target.id;
    platform.kill(first ?? "");
    const next = passage?.retarget();
    expect(next).toBeDefined();
    expect(next?.id).not.toBe(first);
    expect(gate.book.inFlight).toBe(1);
    passage?.end();
  });

  it("gone to the last take the licence with them, and the request is held again with its own deadline", async () => {
    await wake();
    const arrivedAt = platform.clock.monotonic();
    const passage = gate.tryEnter();
    platform.kill(passage?.target.id ?? "");
    expect(passage?.retarget()).toBeUndefined();
    passage?.end();
    expect(gate.awake).toBe(false);
    const again = hold(gate, { arrivedAt });
    await platform.clock.advance(100);
    platform.change("web", { targets: [] });
    platform.start("web", "restarted");
    await platform.clock.advance(50);
    expect((await again).target.id).toBe("restarted");
    (await again).end();
  });
});

describe("a dependency", () => {
  it("is claimed by a wake of its user before the user is released, also when it is awake already", async () => {
    const database = await platform.add("db");
    platform.start("db", "db-1");
    platform.change("db", { desired: 1 });
    const warm = hold(database);
    await platform.clock.advance(20);
    (await warm).end();
    platform.change("web", { policy: { ...gate.policy, dependsOn: ["db"] } });
    await platform.clock.advance(0);
    await wake();
    const order = scales().map((call) => call.split(" ").slice(0, 3).join(" "));
    expect(order).toEqual(["setScale db 1", "setScale db 1", "setScale web 1"]);
  });

  it("is fenced with an answer that keeps it awake while a user is being woken, or is awake here", async () => {
    const ref = { scaler: "test", namespace: "default", name: "db" };
    await platform.add("db");
    platform.change("web", { policy: { ...gate.policy, dependsOn: ["db"] } });
    await platform.clock.advance(0);
    expect(platform.keeper.fence(ref, "1")).toMatchObject({ held: 0, inFlight: 0 });
    const passage = hold();
    await platform.clock.advance(0);
    platform.start("db", "d");
    await platform.clock.advance(20);
    expect(scales()).toEqual(["setScale db 1 if 1", "setScale web 1 if 1"]);
    expect(platform.keeper.fence(ref, "2")).toMatchObject({ held: 1, inFlight: 0 });
    platform.start("web", "w");
    await platform.clock.advance(20);
    (await passage).end();
    expect(platform.keeper.fence(ref, "3")).toMatchObject({ held: 1, inFlight: 0 });
    platform.keeper.fence({ ...ref, name: "web" }, "4");
    expect(platform.keeper.fence(ref, "5")).toMatchObject({ held: 0, inFlight: 0 });
  });

  it("that fails to start is what the user's request is refused with", async () => {
    await platform.add("db");
    platform.change("web", { policy: { ...gate.policy, dependsOn: ["db"] } });
    await platform.clock.advance(0);
    const passage = hold();
    await platform.clock.advance(0);
    platform.change("db", { failure: { code: "SCALER_QUOTA", message: "no more" } });
    await platform.clock.advance(20);
    await expect(passage).rejects.toMatchObject({ code: "SCALER_QUOTA" });
    expect(scales().some((call) => call.startsWith("setScale web"))).toBe(false);
  });

  it("is remembered while a list leaves its user out", async () => {
    const ref = { scaler: "test", namespace: "default", name: "db" };
    await platform.add("db");
    platform.change("web", { policy: { ...gate.policy, dependsOn: ["db"] } });
    await platform.clock.advance(0);
    const passage = hold();
    await platform.clock.advance(0);
    platform.start("db", "d");
    await platform.clock.advance(20);
    platform.start("web", "w");
    await platform.clock.advance(20);
    platform.remove("web");
    await platform.clock.advance(0);
    expect(platform.keeper.fence(ref, "1")).toMatchObject({ held: 1 });
    (await passage).end();
  });

  it("on itself is refused instead of waited for", async () => {
    platform.change("web", { policy: { ...gate.policy, dependsOn: ["web"] } });
    await platform.clock.advance(0);
    const passage = hold();
    await platform.clock.advance(0);
    await expect(passage).rejects.toMatchObject({ code: "SCALER_BAD_OPTIONS" });
  });
});

it("releases those that wait for room as soon as their policy leaves more", async () => {
  platform.change("web", { policy: { ...gate.policy, maxConcurrency: 1 } });
  await wake();
  const first = gate.tryEnter();
  const second = hold();
  await platform.clock.advance(20);
  expect(gate.book.held).toBe(1);
  platform.change("web", { policy: { ...gate.policy, maxConcurrency: 2 } });
  await platform.clock.advance(0);
  expect(gate.book.held).toBe(0);
  (await second).end();
  first?.end();
});

it("counts the end of a hold as use, also of one that came to nothing", async () => {
  const refused = hold(gate, { patienceMs: 3_000 });
  await platform.clock.advance(3_000);
  await expect(refused).rejects.toMatchObject({ code: "DLX_WAKE_TIMEOUT" });
  await platform.clock.advance(1_000);
  expect(gate.book.idleForMs(0)).toBeLessThanOrEqual(1_001);
});

describe("without compare-and-set", () => {
  const ref = { scaler: "test", namespace: "default", name: "web" };

  beforeEach(async () => {
    await platform.close();
    platform = new ScriptedPlatform({ compareAndSet: false, settleWithinMs: 2_000 });
    gate = await platform.add("web");
  });

  it("a wake that is being sent leaves nobody a pass, so that no write of ours can undo it", async () => {
    let land = (): void => {};
    platform.before = (call) =>
      call.startsWith("setScale") ? new Promise<void>((resolve) => void (land = resolve)) : undefined;
    const passage = hold();
    await platform.clock.advance(2_100);
    expect(scales()).toEqual(["setScale web 1"]);
    const pass = platform.sleepGate.close(ref);
    expect(pass?.granted).toBe(false);
    pass?.done();
    land();
    platform.before = () => {};
    await platform.clock.advance(0);
    platform.start("web", "a");
    await platform.clock.advance(20);
    (await passage).end();
    expect(platform.sleepGate.close(ref)?.granted).toBe(true);
  });

  it("a wake waits until no call of an earlier process can have an effect", async () => {
    const passage = hold();
    await platform.clock.advance(1_999);
    expect(scales()).toEqual([]);
    await platform.clock.advance(1);
    expect(scales()).toEqual(["setScale web 1"]);
    platform.start("web", "a");
    await platform.clock.advance(20);
    (await passage).end();
  });

  it("a request cancels a sleep whose stop is not sent, and waits out one whose stop is", async () => {
    await platform.clock.advance(2_000);
    const pass = platform.sleepGate.close(ref);
    const passage = hold();
    expect(pass?.granted).toBe(false);
    await platform.clock.advance(100);
    expect(scales()).toEqual([]);
    pass?.unknown(2_000);
    await platform.clock.advance(1_999);
    expect(scales()).toEqual([]);
    await platform.clock.advance(1);
    platform.start("web", "a");
    await platform.clock.advance(20);
    (await passage).end();
    expect(scales()).toEqual(["setScale web 1"]);
  });
});

describe("demands of others", () => {
  it("of an operator are no-ops on an awake resource", async () => {
    await wake();
    await gate.demand({ by: "operator", reason: "asked" });
    expect(scales()).toHaveLength(1);
  });

  it("by a browser's waiting page wake without holding anything", async () => {
    gate.poke();
    await platform.clock.advance(20);
    expect([gate.book.held, scales()]).toEqual([0, ["setScale web 1 if 1"]]);
    platform.start("web", "a");
    await platform.clock.advance(20);
    expect(gate.awake).toBe(true);
  });
});

it("gives back what was diverted and does not opt in any more", async () => {
  await platform.close();
  platform = new ScriptedPlatform({ routing: true });
  gate = await platform.add("web", { enabled: false, routing: "always" });
  await wake();
  await platform.clock.advance(100);
  expect(gate.restored).toBe(true);
});

it("gives nothing back once the policy keeps the traffic here, though the wake was for direct traffic", async () => {
  await platform.close();
  platform = new ScriptedPlatform({ routing: true });
  gate = await platform.add("web", { enabled: true, routing: "direct" });
  platform.change("web", { wakeReplicas: 2 });
  await wake();
  await platform.clock.advance(10_000);
  expect(gate.restored).toBe(false);
  platform.change("web", { policy: { ...gate.policy, routing: "always" } });
  platform.start("web", "second");
  await platform.clock.advance(10_000);
  expect(gate.restored).toBe(false);
  expect(platform.calls.some((call) => call.startsWith("route"))).toBe(false);
});

it.each([
  ["restores it where a rule's source sees direct traffic", () => true, true],
  ["keeps it where none does, though there are rules", () => false, false],
  ["keeps it where nobody says what the sources see", undefined, false],
])("routing auto: %s", async (_, seesDirect, isRestored) => {
  await platform.close();
  platform = new ScriptedPlatform({ routing: true }, undefined, seesDirect === undefined ? {} : { seesDirect });
  const idleRules = [{ metric: "requests", window: 60_000, threshold: 0 }];
  gate = await platform.add("web", { enabled: true, routing: "auto", idleRules });
  await wake();
  await platform.clock.advance(100);
  expect(gate.restored).toBe(isRestored);
  expect(platform.calls.some((call) => call.startsWith("route"))).toBe(isRestored);
});

it("restores traffic in the background with the version of its claim, and never waits for it", async () => {
  await platform.close();
  platform = new ScriptedPlatform({ routing: true });
  gate = await platform.add("web", { routing: "direct" });
  await wake();
  await platform.clock.advance(100);
  expect(platform.calls).toContain("route web resource 2");
  expect(gate.restored).toBe(true);
});
