import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { defaultPolicy, systemClock } from "@dormouse/core";
import { freePort } from "@dormouse/core/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import { openProcessTable } from "../src/open-process-table.ts";
import type { StateRecord } from "../src/orphan-record.ts";
import { markVariable, type ProcessTable } from "../src/process-table.ts";
import { psProcessTable } from "../src/ps-process-table.ts";
import { scaler as plugin } from "../src/index.ts";
import { reapOrphans } from "../src/reap-orphans.ts";
import {
  allEnded,
  ask,
  eventually,
  fixture,
  isRunning,
  marked,
  type LogLine,
  node,
  recordingLogger,
  temporaryFolder,
} from "./test-scaler.ts";

const own = openProcessTable(process.platform);

/** A process that ends with the test. */
async function start(
  command: readonly string[],
  env: Record<string, string> = {},
): Promise<ChildProcess & { pid: number }> {
  const child = spawn(command[0]!, command.slice(1), {
    detached: true,
    stdio: ["ignore", "pipe", "ignore"],
    env: { ...process.env, ...env },
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child, "spawn");
  return child as ChildProcess & { pid: number };
}

/** A process that does nothing. */
async function startIdle(env: Record<string, string> = {}): Promise<{ pid: number }> {
  const child = await start([process.execPath, "-e", "console.log('up'); setInterval(() => {}, 60_000)"], env);
  await once(child.stdout!, "data");
  return child;
}

interface Host {
  readonly child: ChildProcess & { readonly pid: number };
  /** All pids that its targets answered with. */
  readonly pids: readonly number[];
}

/** A host in a process of its own whose one resource is awake. */
async function startHost(stateDir: string, resource: object, then = "wait"): Promise<Host> {
  const options = { stateDir, resources: [{ name: "hello", stopGrace: "1s", ...resource }] };
  const condition = "--conditions=@dormouse/source";
  const child = await start([process.execPath, condition, fixture("host.ts"), JSON.stringify(options), then]);
  const [line] = (await once(child.stdout!, "data")) as [Buffer];
  if (then !== "wait") return { child, pids: [] };
  const ports = JSON.parse(line.toString()) as number[];
  const answers = await Promise.all(ports.map((port) => ask({ host: "localhost", port })));
  const pids = answers.flatMap((answer) => JSON.parse(answer) as number | number[]);
  // Killed with the test even where the scaler fails to.
  onTestFinished(() => pids.forEach(killQuietly));
  return { child, pids };
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended, as it should.
  }
}

async function kill({ child }: Host): Promise<void> {
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

/** The one state file; beside it may be the one that takes its place next. */
async function readState(stateDir: string): Promise<{ readonly path: string; readonly record: StateRecord }> {
  const [name, ...more] = (await readdir(stateDir)).filter((each) => each.endsWith(".json"));
  if (name === undefined || more.length > 0) throw new Error(`${more.length + 1} state files, not one`);
  const path = join(stateDir, name);
  return { path, record: JSON.parse(await readFile(path, "utf8")) as StateRecord };
}

/** The next host on the same folder, in this process. */
async function openNext(stateDir: string, logs: LogLine[] = []): Promise<AsyncDisposable> {
  const context = { id: "local", logger: recordingLogger(logs), clock: systemClock, defaults: defaultPolicy };
  const raw = await plugin.options["~standard"].validate({ stateDir, resources: [] });
  if (raw.issues !== undefined) throw new Error("wrong options");
  const next = await plugin.create(raw.value, context);
  onTestFinished(() => next[Symbol.asyncDispose]());
  return next;
}

describe("after a host was killed", () => {
  it("the next one ends what it left running, and its state file is gone", async () => {
    const stateDir = await temporaryFolder();
    const host = await startHost(stateDir, { command: node("server.ts"), replicas: 2 });
    expect(host.pids).toHaveLength(2);
    await kill(host);
    for (const pid of host.pids) expect(await isRunning(pid)).toBe(true);
    const logs: LogLine[] = [];
    const next = await openNext(stateDir, logs);
    await allEnded(host.pids);
    await eventually(async () => expect(await readdir(stateDir)).toHaveLength(1));
    const told = logs.find(({ message }) => message === "ended what a killed host left running");
    expect(told).toMatchObject({ level: "warn", fields: { host: host.child.pid } });
    await next[Symbol.asyncDispose]();
    expect(await readdir(stateDir)).toEqual([]);
  });

  it("what ignores SIGTERM, what was forked and what has left its group end as well", async () => {
    const stateDir = await temporaryFolder();
    const command = node("family.ts");
    const host = await startHost(stateDir, { command, env: { CHILDREN_IGNORE_SIGTERM: "1" }, stopGrace: "300ms" });
    expect(host.pids).toHaveLength(3);
    await kill(host);
    await openNext(stateDir);
    await allEnded(host.pids);
  });

  it("a fixed port is free again before the next start uses it", async () => {
    const stateDir = await temporaryFolder();
    const port = await freePort();
    const env = { IGNORE_SIGTERM: "1" };
    const resource = { command: node("server.ts"), port, env, stopGrace: "300ms" };
    await kill(await startHost(stateDir, resource));
    const second = await startHost(stateDir, resource);
    expect(await isRunning(second.pids[0]!)).toBe(true);
  });

  it.each([0, 1, 3, 10, 30, 60])("in the middle of its starts, nothing stays: %i ms into them", async (killAfterMs) => {
    const stateDir = await temporaryFolder();
    const host = await startHost(stateDir, { command: node("server.ts"), replicas: 6 }, "flurry");
    const { record } = await readState(stateDir);
    await systemClock.sleep(killAfterMs);
    await kill(host);
    await openNext(stateDir);
    await eventually(async () => expect(await readdir(stateDir)).toHaveLength(1));
    expect(await marked(`${record.instance}.`)).toEqual([]);
  });

  it("a child that was not recorded yet is known by its mark", async () => {
    const stateDir = await temporaryFolder();
    const host = await startHost(stateDir, { command: node("server.ts") });
    const { path, record } = await eventually(async () => {
      const state = await readState(stateDir);
      expect(state.record.children.map(({ pid }) => pid)).toEqual(host.pids);
      return state;
    });
    await kill(host);
    await writeFile(path, JSON.stringify({ ...record, children: [] }));
    await openNext(stateDir);
    await allEnded(host.pids);
  });
});

describe("a host that ends", () => {
  it.each(["exit", "throw"])("by %s without closing leaves nothing running", async (then) => {
    const stateDir = await temporaryFolder();
    const file = join(stateDir, "pid");
    const text = `require("fs").writeFileSync(${JSON.stringify(file)}, String(process.pid));
      require("http").createServer((_, r) => r.end()).listen(process.env.PORT)`;
    const host = await startHost(stateDir, { command: [process.execPath, "-e", text] }, then);
    if (host.child.exitCode === null) await once(host.child, "exit");
    const pid = Number(await readFile(file, "utf8"));
    await eventually(async () => expect(await isRunning(pid)).toBe(false));
  });

  it("on SIGTERM stops its processes", async () => {
    const stateDir = await temporaryFolder();
    const host = await startHost(stateDir, { command: node("server.ts") });
    const exited = once(host.child, "exit");
    host.child.kill("SIGTERM");
    expect(await exited).toEqual([0, null]);
    for (const pid of host.pids) expect(await isRunning(pid)).toBe(false);
    expect(await readdir(stateDir)).toEqual([]);
  });
});

describe("two hosts at once", () => {
  it("leave each other's processes alone", async () => {
    const stateDir = await temporaryFolder();
    const resource = { command: node("server.ts") };
    const [one, other] = await Promise.all([startHost(stateDir, resource), startHost(stateDir, resource)]);
    await kill(one);
    const next = await startHost(stateDir, resource);
    await allEnded(one.pids);
    for (const pid of [...other.pids, ...next.pids]) expect(await isRunning(pid)).toBe(true);
    expect(new Set([...other.pids, ...next.pids]).size).toBe(2);
  });
});

const instance = "6f1c4d8e-4b7e-4a53-9e0a-0c8f3ad5f9b1";

/** A record of a host that is dead, in this process's scope. */
async function deadRecord(children: readonly object[], table: ProcessTable = own): Promise<object> {
  const owner = { pid: process.pid, started: "long ago" };
  return { format: 1, scope: await table.scope(), machine: "here", instance, owner, children };
}

function childOf(pid: number, started: string): object {
  return { pid, started, resource: "local/default/hello", stopSignal: "SIGTERM", stopGraceMs: 500 };
}

async function startOf(pid: number, table: ProcessTable): Promise<string> {
  const started = await table.startOf(pid);
  if (started === undefined) throw new Error(`${pid} does not run`);
  return started;
}

async function reap(folder: string, table: ProcessTable = own): Promise<readonly LogLine[]> {
  const logs: LogLine[] = [];
  await reapOrphans({ folder, table, clock: systemClock, logger: recordingLogger(logs) });
  return logs;
}

async function folderWith(record: object | string): Promise<string> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, "record.json"), typeof record === "string" ? record : JSON.stringify(record));
  return folder;
}

// `ps` is what macOS has; here it shows at least that both find the same.
describe.each([
  ["the machine's own table", own],
  ["ps", psProcessTable(process.platform)],
])("by %s, a stranger", (_name, table) => {
  it("with a recorded pid and another start time is left alone", async () => {
    const stranger = await startIdle();
    const folder = await folderWith(await deadRecord([childOf(stranger.pid, "1")], table));
    await reap(folder, table);
    expect(await isRunning(stranger.pid)).toBe(true);
    expect(await readdir(folder)).toEqual([]);
  });

  it("with the recorded start time is none, and ends", async () => {
    const child = await startIdle();
    await reap(await folderWith(await deadRecord([childOf(child.pid, await startOf(child.pid, table))], table)), table);
    expect(await isRunning(child.pid)).toBe(false);
  });

  it("with the mark of another host is left alone", async () => {
    const stranger = await startIdle({ [markVariable]: `${instance.replace("6", "7")}.1` });
    const child = await startIdle({ [markVariable]: `${instance}.1` });
    await reap(await folderWith(await deadRecord([], table)), table);
    expect(await isRunning(stranger.pid)).toBe(true);
    expect(await isRunning(child.pid)).toBe(false);
  });

  it.each([
    ["an owner that lives", async () => ({ owner: { pid: process.pid, started: await startOf(process.pid, table) } })],
    ["another machine or container", async () => ({ scope: "other-boot pid:[1]" })],
    ["a newer Dormouse", async () => ({ format: 2 })],
  ])("is left alone by the record of %s, which stays", async (_, change) => {
    const child = await startIdle();
    const known = childOf(child.pid, await startOf(child.pid, table));
    const folder = await folderWith({ ...(await deadRecord([known], table)), ...(await change()) });
    await reap(folder, table);
    expect(await isRunning(child.pid)).toBe(true);
    expect(await readdir(folder)).toEqual(["record.json"]);
  });
});

describe("a state file", () => {
  it.each([
    ["that is no JSON", () => "{ half"],
    ["that is no record", () => JSON.stringify({ pids: [1, 2, 3] })],
    ["with init as a child", async () => JSON.stringify(await deadRecord([childOf(1, "0")]))],
  ])("%s is named, moved aside and nothing is ended by it", async (_, content) => {
    const folder = await folderWith(await content());
    const logs = await reap(folder);
    expect(logs).toMatchObject([{ level: "warn", fields: { file: join(folder, "record.json") } }]);
    expect(await readdir(folder)).toEqual(["record.json.unusable"]);
    expect(await reap(folder)).toEqual([]);
  });

  it("of this machine from before its last boot is removed", async () => {
    const record = { ...(await deadRecord([])), scope: "earlier-boot pid:[1]", machine: hostname() };
    const folder = await folderWith(record);
    await reap(folder);
    expect(await readdir(folder)).toEqual([]);
  });
});
