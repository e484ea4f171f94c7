import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "@dormouse/core/testing";
import { describe, expect, it } from "vitest";
import {
  allEnded,
  ask,
  eventually,
  isRunning,
  marked,
  node,
  only,
  openTestScaler,
  refOf,
  resourceWhen,
  sleep,
  temporaryFolder,
  wake,
} from "./test-scaler.ts";

const server = (more: object = {}): object => ({ name: "hello", command: node("server.ts"), ...more });

describe("a resource", () => {
  it("is asleep at first, starts on a free port, and is gone after a sleep", async () => {
    const test = await openTestScaler([server()]);
    expect(await test.scaler.listResources()).toMatchObject([
      { ref: refOf("hello"), desired: 0, ready: 0, wakeReplicas: 1, policy: { enabled: true } },
    ]);
    const asleep = await test.scaler.getResource(refOf("hello"));
    const target = only(await wake(test, "hello"));
    expect(target).toMatchObject({ host: "localhost", ready: true });
    expect(asleep?.ports).toEqual([{ name: "http", number: target.port, protocol: "http" }]);
    const pid = Number(await ask(target));
    await sleep(test, "hello");
    expect(await isRunning(pid)).toBe(false);
    expect(await test.scaler.resolveTargets(refOf("hello"), undefined)).toEqual([]);
  });

  it.each(["127.0.0.1", "::1", "::", "0.0.0.0"])("becomes ready where it listens on %s", async (address) => {
    const test = await openTestScaler([server({ env: { LISTEN_ON: address } })]);
    expect(only(await wake(test, "hello")).ready).toBe(true);
  });

  it("is a target before it is ready, and ready only once it accepts a connection", async () => {
    const switches = await temporaryFolder();
    const held = join(switches, "held");
    await writeFile(held, "");
    const test = await openTestScaler([server({ command: node("switched.ts"), env: { SWITCHES: switches } })]);
    await test.scaler.setScale(refOf("hello"), 1);
    const early = await eventually(async () => only(await test.scaler.resolveTargets(refOf("hello"), undefined)));
    expect(early.ready).toBe(false);
    await rm(held);
    await resourceWhen(test, "hello", ({ ready }) => ready === 1);
    expect(only(await test.scaler.resolveTargets(refOf("hello"), "http"))).toEqual({ ...early, ready: true });
  });

  it("gets arguments, working directory and environment", async () => {
    const cwd = await temporaryFolder();
    const env = { GREETING: "hi", COUNT: 3, LOUD: true, EMPTY: "", ANSWER_ENV: "1" };
    const test = await openTestScaler([server({ cwd, env, portEnv: "HTTP_PORT", command: printer })]);
    const target = only(await wake(test, "hello"));
    const seen = JSON.parse(await ask(target)) as Record<string, unknown>;
    expect(seen).toMatchObject({ cwd, args: ["a b", "$HOME", ""], env: { GREETING: "hi", COUNT: "3", LOUD: "true" } });
    expect(seen["env"]).toMatchObject({ EMPTY: "", HTTP_PORT: String(target.port), PATH: process.env["PATH"] });
  });

  it("keeps the host's own settings from its children", async () => {
    process.env["DORMOUSE_TOKEN"] = "secret";
    const test = await openTestScaler([server({ env: { ANSWER_ENV: "1" } })]);
    const seen = JSON.parse(await ask(only(await wake(test, "hello")))) as Record<string, string>;
    delete process.env["DORMOUSE_TOKEN"];
    expect(Object.keys(seen).filter((name) => name.startsWith("DORMOUSE_"))).toEqual(["DORMOUSE_INSTANCE"]);
  });

  it("runs several replicas, each on its own port, and keeps their number over a sleep", async () => {
    const test = await openTestScaler([server({ replicas: 2 })]);
    const [resource] = await test.scaler.listResources();
    expect(resource?.wakeReplicas).toBe(2);
    const targets = await wake(test, "hello", 3);
    expect(new Set(targets.map(({ port }) => port)).size).toBe(3);
    expect(new Set(targets.map(({ id }) => id)).size).toBe(3);
    const pids = (await Promise.all(targets.map((target) => ask(target)))).map(Number);
    expect(new Set(pids).size).toBe(3);
    const [first] = await wake(test, "hello", 1);
    expect(first?.id).toBe(targets[0]?.id);
    await allEnded(pids.slice(1));
    await sleep(test, "hello");
    expect(await test.scaler.getResource(refOf("hello"))).toMatchObject({ desired: 0, wakeReplicas: 1 });
  });

  it("has a fixed port where one is configured, over and over", async () => {
    const port = await freePort();
    const test = await openTestScaler([server({ port })]);
    const ids = new Set<string>();
    for (let round = 0; round < 3; round += 1) {
      const target = only(await wake(test, "hello"));
      expect(target.port).toBe(port);
      ids.add(target.id);
      await test.scaler.setScale(refOf("hello"), 0);
    }
    expect(ids.size).toBe(3);
    await expect(test.scaler.setScale(refOf("hello"), 2)).rejects.toMatchObject({ code: "SCALER_UNSUPPORTED" });
  });
});

/** So many turns of the event loop. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

const printer = [
  process.execPath,
  "-e",
  `const answer = JSON.stringify({ cwd: process.cwd(), args: process.argv.slice(1), env: process.env });
   require("node:http").createServer((_, response) => response.end(answer)).listen(process.env.HTTP_PORT);`,
  "a b",
  "$HOME",
  "",
];

describe("setScale", () => {
  it("moves the version on each call, and status does not", async () => {
    const test = await openTestScaler([server()]);
    const versions = new Set([(await test.scaler.getResource(refOf("hello")))?.version]);
    for (const replicas of [1, 1, 2, 0, 0]) {
      const { version } = await test.scaler.setScale(refOf("hello"), replicas);
      expect(await test.scaler.getResource(refOf("hello"))).toMatchObject({ version, desired: replicas });
      versions.add(version);
    }
    expect(versions.size).toBe(6);
    const { version } = await test.scaler.setScale(refOf("hello"), 1);
    const ready = await resourceWhen(test, "hello", (resource) => resource.ready === 1);
    expect(ready.version).toBe(version);
  });

  it("refuses an old version and changes nothing", async () => {
    const test = await openTestScaler([server()]);
    const before = await test.scaler.getResource(refOf("hello"));
    const { version } = await test.scaler.setScale(refOf("hello"), 0, { ifVersion: before?.version ?? "" });
    const late = test.scaler.setScale(refOf("hello"), 1, { ifVersion: before?.version ?? "" });
    await expect(late).rejects.toMatchObject({ code: "SCALER_CONFLICT", retryable: true });
    expect(await test.scaler.getResource(refOf("hello"))).toMatchObject({ version, desired: 0 });
  });

  it("lets one of many racing claims through", async () => {
    const test = await openTestScaler([server()]);
    const before = await test.scaler.getResource(refOf("hello"));
    const claims = Array.from({ length: 20 }, () =>
      test.scaler.setScale(refOf("hello"), 1, { ifVersion: before?.version ?? "" }),
    );
    const outcomes = await Promise.allSettled(claims);
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  it("names a resource that is not configured, and a port that does not exist", async () => {
    const { scaler } = await openTestScaler([server()]);
    await expect(scaler.setScale(refOf("other"), 1)).rejects.toMatchObject({ code: "SCALER_NOT_FOUND" });
    await expect(scaler.resolveTargets(refOf("other"), undefined)).rejects.toMatchObject({ code: "SCALER_NOT_FOUND" });
    await expect(scaler.resolveTargets(refOf("hello"), "grpc")).rejects.toMatchObject({ code: "SCALER_BAD_ARGUMENT" });
    expect(await scaler.getResource(refOf("other"))).toBeUndefined();
    await expect(scaler.setScale(refOf("hello"), 101)).rejects.toMatchObject({ code: "SCALER_BAD_ARGUMENT" });
  });

  it("starts beside an instance that will not stop, which is no target any more", async () => {
    const test = await openTestScaler([server({ stopGrace: "25s", env: { IGNORE_SIGTERM: "1" } })]);
    const first = only(await wake(test, "hello"));
    const pid = Number(await ask(first));
    await test.scaler.setScale(refOf("hello"), 0);
    expect(await test.scaler.resolveTargets(refOf("hello"), undefined)).toEqual([]);
    expect(await test.scaler.getResource(refOf("hello"))).toMatchObject({ desired: 0, ready: 1 });
    const second = only(await wake(test, "hello"));
    expect(second.id).not.toBe(first.id);
    expect(await isRunning(pid)).toBe(true);
    process.kill(pid, "SIGKILL");
    await allEnded([pid]);
    expect(only(await test.scaler.resolveTargets(refOf("hello"), undefined)).id).toBe(second.id);
    process.kill(Number(await ask(second)), "SIGKILL");
  });

  it("leaves nothing behind after 200 quick flips", async () => {
    const test = await openTestScaler([server({ stopGrace: "2s" })]);
    const { version } = await test.scaler.setScale(refOf("hello"), 0);
    const prefix = `${version.split(".")[0] ?? ""}.`;
    for (let flip = 0; flip < 200; flip += 1) {
      await test.scaler.setScale(refOf("hello"), (flip + 1) % 2);
      // Let starts get as far as they do at various paces.
      await turns(flip % 5);
    }
    await wake(test, "hello");
    await eventually(async () => expect(await marked(prefix)).toHaveLength(1));
    await sleep(test, "hello");
    await eventually(async () => expect(await marked(prefix)).toHaveLength(0));
  });
});

describe("a stop", () => {
  it("sends the configured signal", async () => {
    const test = await openTestScaler([server({ stopSignal: "SIGINT", env: { IGNORE_SIGTERM: "1" } })]);
    const pid = Number(await ask(only(await wake(test, "hello"))));
    await sleep(test, "hello");
    expect(await isRunning(pid)).toBe(false);
  });

  it("kills what has not stopped in time", async () => {
    const test = await openTestScaler([server({ stopGrace: "2s", env: { IGNORE_SIGTERM: "1" } })]);
    const pid = Number(await ask(only(await wake(test, "hello"))));
    await test.scaler.setScale(refOf("hello"), 0);
    await allEnded([pid]);
    const said = (): readonly string[] => test.logs.map(({ message }) => message);
    await eventually(() => expect(said()).toContain("did not stop in time; killed"));
    await eventually(() => expect(said()).toContain("[hello] not now"));
  });

  it.each([{}, { CHILDREN_IGNORE_SIGTERM: "1" }])("ends what the process has started: %o", async (env) => {
    const family = { name: "family", command: node("family.ts"), stopGrace: "500ms", env };
    const test = await openTestScaler([family]);
    const pids = JSON.parse(await ask(only(await wake(test, "family")))) as number[];
    expect(pids).toHaveLength(3);
    await test.scaler.setScale(refOf("family"), 0);
    await allEnded(pids);
  });

  it("ends the rest of a family whose first process died", async () => {
    const family = { name: "family", command: node("family.ts"), stopGrace: "500ms" };
    const test = await openTestScaler([family]);
    const target = only(await wake(test, "family"));
    const pids = JSON.parse(await ask(target)) as number[];
    process.kill(pids[0]!, "SIGKILL");
    await allEnded(pids);
    const next = await eventually(async () => only(await test.scaler.resolveTargets(refOf("family"), undefined)));
    expect(next.id).not.toBe(target.id);
  });
});

describe("closing", () => {
  it("stops everything and forgets the state file", async () => {
    const test = await openTestScaler([
      server(),
      server({ name: "stubborn", stopGrace: "300ms", env: { IGNORE_SIGTERM: "1" } }),
    ]);
    const targets = [...(await wake(test, "hello", 2)), ...(await wake(test, "stubborn"))];
    const pids = (await Promise.all(targets.map((target) => ask(target)))).map(Number);
    await test.scaler[Symbol.asyncDispose]();
    for (const pid of pids) expect(await isRunning(pid)).toBe(false);
    expect(await readdir(test.stateDir)).toEqual([]);
    await expect(test.scaler.listResources()).rejects.toMatchObject({ code: "SCALER_DISPOSED" });
  });

  it.each([0, 1, 2, 5, 20])(
    "in the middle of a start leaves nothing: %i turns of the event loop later",
    async (count) => {
      const test = await openTestScaler([server({ stopGrace: "2s" })]);
      const { version } = await test.scaler.setScale(refOf("hello"), 3);
      await turns(count);
      await test.scaler[Symbol.asyncDispose]();
      expect(await marked(`${version.split(".")[0] ?? ""}.`)).toEqual([]);
    },
  );
});
