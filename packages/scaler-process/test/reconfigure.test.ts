import type { ResourceChange } from "@dormouse/core";
import { freePort } from "@dormouse/core/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  allEnded,
  ask,
  eventually,
  node,
  only,
  openTestScaler,
  refOf,
  resourceWhen,
  type TestScaler,
  wake,
} from "./test-scaler.ts";

const server = (more: object = {}): object => ({ name: "hello", command: node("server.ts"), ...more });

/** All changes that a watch tells until the test ends. */
function watch({ scaler }: TestScaler): ResourceChange[] {
  const seen: ResourceChange[] = [];
  const abort = new AbortController();
  const watching = (async () => {
    for await (const change of scaler.watchResources!({ signal: abort.signal })) seen.push(change);
  })();
  onTestFinished(async () => {
    abort.abort();
    await watching;
  });
  return seen;
}

const versionOf = async ({ scaler }: TestScaler, name = "hello"): Promise<string | undefined> =>
  (await scaler.getResource(refOf(name)))?.version;

describe("a changed policy", () => {
  it("counts at once, and neither processes nor version notice", async () => {
    const test = await openTestScaler([server({ policy: { idleAfter: "10s" } })]);
    const seen = watch(test);
    const target = only(await wake(test, "hello"));
    const version = await versionOf(test);
    expect(await test.reconfigure([server({ policy: { idleAfter: "20s" } })])).toBe(true);
    expect(await test.scaler.getResource(refOf("hello"))).toMatchObject({ version, policy: { idleAfter: 20_000 } });
    expect(only(await test.scaler.resolveTargets(refOf("hello"), undefined))).toEqual(target);
    await eventually(() =>
      expect(seen.at(-1)).toMatchObject({ kind: "set", resource: { policy: { idleAfter: 20_000 } } }),
    );
  });
});

describe("a changed specification", () => {
  it("moves the version and counts from the next start", async () => {
    const test = await openTestScaler([server({ env: { ANSWER_ENV: "1", COLOUR: "red" } })]);
    const target = only(await wake(test, "hello"));
    const version = await versionOf(test);
    await test.reconfigure([server({ env: { ANSWER_ENV: "1", COLOUR: "blue" } })]);
    expect(await versionOf(test)).not.toBe(version);
    expect(only(await test.scaler.resolveTargets(refOf("hello"), undefined))).toEqual(target);
    expect(JSON.parse(await ask(target))).toMatchObject({ COLOUR: "red" });
    await test.scaler.setScale(refOf("hello"), 0);
    expect(JSON.parse(await ask(only(await wake(test, "hello"))))).toMatchObject({ COLOUR: "blue" });
  });

  it("refuses a write that was based on the old one", async () => {
    const test = await openTestScaler([server()]);
    const version = (await versionOf(test)) ?? "";
    await test.reconfigure([server({ stopGrace: "1s" })]);
    const late = test.scaler.setScale(refOf("hello"), 1, { ifVersion: version });
    await expect(late).rejects.toMatchObject({ code: "SCALER_CONFLICT" });
  });

  it("takes over another number of replicas for the next wake", async () => {
    const test = await openTestScaler([server({ replicas: 2 })]);
    await test.reconfigure([server({ replicas: 3 })]);
    expect(await test.scaler.getResource(refOf("hello"))).toMatchObject({ desired: 0, wakeReplicas: 3 });
    await test.scaler.setScale(refOf("hello"), 1);
    await test.reconfigure([server({ replicas: 3, stopGrace: "1s" })]);
    expect(await test.scaler.getResource(refOf("hello"))).toMatchObject({ desired: 1, wakeReplicas: 1 });
  });

  it("to a fixed port still lets several replicas go to sleep", async () => {
    const test = await openTestScaler([server({ replicas: 2 })]);
    await wake(test, "hello", 2);
    await test.reconfigure([server({ port: await freePort() })]);
    await test.scaler.setScale(refOf("hello"), 2);
    await test.scaler.setScale(refOf("hello"), 0);
    expect(await test.scaler.getResource(refOf("hello"))).toMatchObject({ desired: 0, wakeReplicas: 2 });
  });
});

describe("a new resource", () => {
  it("appears, also to those who watch", async () => {
    const test = await openTestScaler([server()]);
    const seen = watch(test);
    await eventually(() => expect(seen).toHaveLength(1));
    await test.reconfigure([server(), server({ name: "late" })]);
    expect((await test.scaler.listResources()).map(({ ref }) => ref.name)).toEqual(["hello", "late"]);
    await eventually(() => expect(seen).toContainEqual(expect.objectContaining({ kind: "set" })));
    expect(only(await wake(test, "late")).ready).toBe(true);
  });
});

describe("a removed resource", () => {
  it("leaves the list, and is in reach until its processes have ended", async () => {
    const test = await openTestScaler([server(), server({ name: "other" })]);
    const seen = watch(test);
    const target = only(await wake(test, "hello"));
    const pid = Number(await ask(target));
    const version = await versionOf(test);
    await test.reconfigure([server({ name: "other" })]);
    expect((await test.scaler.listResources()).map(({ ref }) => ref.name)).toEqual(["other"]);
    await eventually(() => expect(seen.at(-1)).toEqual({ kind: "gone", ref: refOf("hello") }));
    expect(only(await test.scaler.resolveTargets(refOf("hello"), undefined))).toEqual(target);
    const left = await test.scaler.getResource(refOf("hello"));
    expect(left).toMatchObject({ desired: 1, ready: 1 });
    expect(left?.version).not.toBe(version);
    await test.scaler.setScale(refOf("hello"), 0, { ifVersion: left?.version ?? "" });
    await allEnded([pid]);
    await eventually(async () => expect(await test.scaler.getResource(refOf("hello"))).toBeUndefined());
    await expect(test.scaler.setScale(refOf("hello"), 1)).rejects.toMatchObject({ code: "SCALER_NOT_FOUND" });
    expect(seen.at(-1)).toEqual({ kind: "gone", ref: refOf("hello") });
  });

  it("that slept is gone at once", async () => {
    const test = await openTestScaler([server()]);
    await test.reconfigure([]);
    expect(await test.scaler.getResource(refOf("hello"))).toBeUndefined();
  });

  it("that comes back is the one that still runs", async () => {
    const test = await openTestScaler([server()]);
    const target = only(await wake(test, "hello"));
    await test.reconfigure([]);
    const removed = await versionOf(test);
    await test.reconfigure([server()]);
    expect(await versionOf(test)).not.toBe(removed);
    expect(await test.scaler.listResources()).toMatchObject([{ ref: refOf("hello"), desired: 1, ready: 1 }]);
    expect(only(await test.scaler.resolveTargets(refOf("hello"), undefined))).toEqual(target);
  });

  it("cannot be woken from zero while its last processes end", async () => {
    const env = { IGNORE_SIGTERM: "1" };
    const test = await openTestScaler([server({ env, stopGrace: "25s" })]);
    const pid = Number(await ask(only(await wake(test, "hello"))));
    await test.scaler.setScale(refOf("hello"), 0);
    await test.reconfigure([]);
    expect(await test.scaler.getResource(refOf("hello"))).toMatchObject({ desired: 0, ready: 1 });
    await expect(test.scaler.setScale(refOf("hello"), 1)).rejects.toMatchObject({ code: "SCALER_NOT_FOUND" });
    process.kill(pid, "SIGKILL");
    await eventually(async () => expect(await test.scaler.getResource(refOf("hello"))).toBeUndefined());
  });
});

describe("wrong options", () => {
  it.each([
    [
      "a wrong policy",
      [server({ stopGrace: "1s" }), server({ name: "bad", policy: { idleAfter: "soon" } })],
      "policy.idleAfter",
    ],
    ["an unknown port", [server({ policy: { port: "grpc" } })], "resources[0].policy.port"],
    ["an unknown key", [server({ comand: [] })], "resources[0].comand"],
    [
      "a command that does not exist",
      [server(), server({ name: "bad", command: ["dormouse-none"] })],
      "resources[1].command[0]",
    ],
    ["two of one name", [server(), server()], "resources[1].name"],
  ])("change nothing: %s", async (_, resources, place) => {
    const test = await openTestScaler([server()]);
    const before = await test.scaler.listResources();
    await expect(test.reconfigure(resources)).rejects.toThrow(place);
    expect(await test.scaler.listResources()).toEqual(before);
    await resourceWhen(test, "hello", ({ desired }) => desired === 0);
  });
});
