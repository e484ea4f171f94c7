import { ScalerError, type Target } from "@dormouse/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Passage } from "../src/gate/passage.ts";
import type { ResourceGate } from "../src/gate/resource-gate.ts";
import { ScriptedPlatform } from "./scripted-platform.ts";

let platform: ScriptedPlatform;
let gate: ResourceGate;

beforeEach(async () => {
  platform = new ScriptedPlatform();
  gate = await platform.add("web");
  platform.change("web", {
    ports: [
      { name: "http", number: 80, protocol: "http" },
      { name: "admin", number: 81, protocol: "http" },
    ],
    further: { admin: [] },
  });
  await platform.clock.advance(0);
});

afterEach(async () => {
  await platform.close();
  expect(platform.clock.pendingTimers).toBe(0);
  const { held, inFlight } = platform.keeper.totals;
  expect({ held, inFlight }).toEqual({ held: 0, inFlight: 0 });
});

function hold(port?: string, holdOf: ResourceGate = gate): Promise<Passage> {
  const { signal } = new AbortController();
  const passage = holdOf.hold({ arrivedAt: platform.clock.monotonic(), signal, port });
  passage.catch(() => {});
  return passage;
}

const admins = new Set<Target>();

/** Instances come up with both ports; `a:81` answers a dial where the test says so. */
function start(...ids: string[]): void {
  admins.clear();
  for (const id of ids) {
    platform.start("web", id);
    admins.add({ id, host: "127.0.0.1", port: 81 });
  }
  platform.change("web", { further: { admin: [...admins] } });
}

/** As an exchange does: dials again as the gate says, until there is nothing left to try. */
async function isAnswered(passage: Promise<Passage>): Promise<boolean> {
  const granted = await passage;
  const { target } = granted;
  const answers = platform.answering.has(target.port === 80 ? target.id : `${target.id}:${target.port}`);
  if (!answers) granted.retarget();
  granted.end();
  return answers;
}

async function wake(...ids: string[]): Promise<void> {
  const passage = hold();
  await platform.clock.advance(0);
  start(...ids);
  await platform.clock.advance(60);
  (await passage).end();
}

const scales = (): string[] => platform.calls.filter((call) => call.startsWith("setScale"));

describe("a request for a further port", () => {
  it("wakes the resource like any other, and goes to its own port of the instance", async () => {
    const passages = [hold("admin"), hold("http"), hold()];
    await platform.clock.advance(0);
    start("a");
    await platform.clock.advance(60);
    const granted = await Promise.all(passages);
    expect(granted.map(({ target }) => `${target.id} ${target.address}:${target.port}`)).toEqual([
      "a 127.0.0.1:81",
      "a 127.0.0.1:80",
      "a 127.0.0.1:80",
    ]);
    expect(scales()).toHaveLength(1);
    expect(gate.book.inFlight).toBe(3);
    for (const passage of granted) passage.end();
  });

  it("is released by a dial of the main port alone", async () => {
    const passage = hold("admin");
    await platform.clock.advance(0);
    start("a");
    platform.answering.delete("a");
    platform.answering.add("a:81");
    await platform.clock.advance(500);
    expect(gate.book.held).toBe(1);
    expect(platform.dials).not.toContain("a:81");
    platform.answering.add("a");
    await platform.clock.advance(60);
    expect((await passage).target.port).toBe(81);
    (await passage).end();
  });

  it("passes warm in one synchronous step, with no call to the platform, no dial and no timer", async () => {
    await wake("a");
    const first = hold("admin");
    await platform.clock.advance(0);
    (await first).end();
    const before = [platform.calls.length, platform.dials.length, platform.clock.pendingTimers];
    const passage = gate.tryEnter({}, "admin");
    expect(passage?.target.port).toBe(81);
    expect(passage?.cold).toBeUndefined();
    expect([platform.calls.length, platform.dials.length, platform.clock.pendingTimers]).toEqual(before);
    passage?.end();
  });

  it("goes where the scaler says, also on another host and after it has moved", async () => {
    await wake("a");
    (await hold("admin")).end();
    platform.change("web", { version: 99, further: { admin: [{ id: "a", host: "10.0.0.9", port: 91 }] } });
    await platform.clock.advance(10);
    const passage = gate.tryEnter({}, "admin");
    expect(passage?.target).toEqual({ id: "a", address: "10.0.0.9", port: 91 });
    expect(platform.retired).toEqual([{ id: "a", address: "127.0.0.1", port: 81 }]);
    passage?.end();
  });

  it("counts for its resource: a fence sees it, and takes the licence of all ports", async () => {
    await wake("a");
    const passage = await hold("admin");
    const answer = platform.keeper.fence({ scaler: "test", namespace: "default", name: "web" }, "1");
    expect(answer.inFlight).toBe(1);
    expect(gate.tryEnter({}, "admin")).toBeUndefined();
    expect(platform.retired.map(({ port }) => port)).toEqual([80, 81]);
    passage.end();
  });
});

describe("a further port that does not answer", () => {
  beforeEach(() => wake("a", "b"));

  it("sends the request to another instance", async () => {
    platform.answering.add("b:81");
    const passage = await hold("admin");
    const second = passage.target.id === "b" ? await hold("admin") : passage;
    expect(second.target.id).toBe("a");
    expect(second.retarget()).toEqual({ id: "b", address: "127.0.0.1", port: 81 });
    expect(second.target.id).toBe("b");
    passage.end();
    second.end();
  });

  it("holds who comes until it answers, and nobody who wants the main port", async () => {
    for (const _ of ["a", "b"]) expect(await isAnswered(hold("admin"))).toBe(false);
    const passage = hold("admin");
    await platform.clock.advance(1_000);
    expect(gate.book.held).toBe(1);
    const main = gate.tryEnter();
    expect(main?.target.port).toBe(80);
    main?.end();
    platform.answering.add("a:81");
    await platform.clock.advance(2_000);
    expect((await passage).target).toEqual({ id: "a", address: "127.0.0.1", port: 81 });
    (await passage).end();
  });

  it("costs no instance, no licence and no claim, and after 5 s nobody waits for it", async () => {
    for (const _ of ["a", "b"]) await isAnswered(hold("admin"));
    const claims = scales().length;
    const passage = hold("admin");
    await platform.clock.advance(5_000);
    await expect(passage).rejects.toMatchObject({ code: "DLX_TARGET_UNREACHABLE" });
    await expect(hold("admin")).rejects.toMatchObject({ code: "DLX_TARGET_UNREACHABLE" });
    expect(gate.targets.map(({ id }) => id).sort()).toEqual(["a", "b"]);
    expect(gate.awake).toBe(true);
    expect(scales()).toHaveLength(claims);
  });

  it("is not asked for while nobody wants it, and dialled again for who does, once a second at most", async () => {
    for (const _ of ["a", "b"]) await isAnswered(hold("admin"));
    await platform.clock.advance(8_000);
    const before = [platform.calls.length, platform.dials.length];
    await platform.clock.advance(20_000);
    expect([platform.calls.length, platform.dials.length]).toEqual(before);
    for (let request = 0; request < 100; request += 1) {
      await expect(hold("admin")).rejects.toMatchObject({ code: "DLX_TARGET_UNREACHABLE" });
      await platform.clock.advance(20);
    }
    expect(platform.dials.length - (before[1] ?? 0)).toBeLessThanOrEqual(8);
    platform.answering.add("b:81");
    await platform.clock.advance(1_000);
    await hold("admin").catch(() => {});
    await platform.clock.advance(10);
    const passage = gate.tryEnter({}, "admin");
    expect(passage?.target.id).toBe("b");
    passage?.end();
  });

  it("shows an instance that is gone without a word: its main port is dialled, and it is dropped", async () => {
    platform.kill("a");
    platform.kill("b");
    const passage = await hold("admin");
    passage.retarget();
    passage.end();
    await platform.clock.advance(10);
    expect(gate.targets).toHaveLength(1);
    const last = await hold("admin");
    expect(last.retarget()).toBeUndefined();
    last.end();
    await platform.clock.advance(10);
    expect(gate.awake).toBe(false);
  });
});

describe("a port that there is not", () => {
  it("refuses who asks for it, and wakes nobody's hope", async () => {
    const passage = hold("ghost");
    await platform.clock.advance(0);
    start("a");
    await platform.clock.advance(60);
    await expect(passage).rejects.toMatchObject({ code: "DLX_TARGET_UNREACHABLE" });
    expect(gate.awake).toBe(true);
  });

  it("is asked for anew once the resource has changed", async () => {
    await wake("a");
    await expect(hold("ghost")).rejects.toMatchObject({ code: "DLX_TARGET_UNREACHABLE" });
    platform.change("web", { version: 99, further: { ghost: [{ id: "a", host: "127.0.0.1", port: 82 }] } });
    await platform.clock.advance(10);
    const passage = hold("ghost");
    await platform.clock.advance(10);
    expect((await passage).target.port).toBe(82);
    (await passage).end();
  });

  it("is not taken for missing while the platform does not answer", async () => {
    await wake("a");
    platform.before = (call) => {
      if (call === "targets web admin") throw new ScalerError("SCALER_UNAVAILABLE", "away");
    };
    const passage = hold("admin");
    await platform.clock.advance(10_000);
    expect(gate.book.held).toBe(1);
    platform.before = () => {};
    await platform.clock.advance(2_000);
    expect((await passage).target.port).toBe(81);
    (await passage).end();
  });
});

it("another main port means another dial: what was reached is let go of", async () => {
  await wake("a");
  platform.change("web", { version: 99, policy: { ...gate.policy, port: "admin" } });
  await platform.clock.advance(0);
  expect(gate.awake).toBe(false);
});
