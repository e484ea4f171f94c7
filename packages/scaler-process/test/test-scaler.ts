import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  defaultPolicy,
  type GuardedScaler,
  type LocalRef,
  type Logger,
  openScaler,
  type Resource,
  systemClock,
  type Target,
} from "@dormouse/core";
import { onTestFinished, vi } from "vitest";
import { scaler as plugin } from "../src/index.ts";
import { openProcessTable } from "../src/open-process-table.ts";

export const fixture = (name: string): string => join(import.meta.dirname, "fixtures", name);

/** A command that runs a fixture. */
export const node = (name: string): string[] => [process.execPath, fixture(name)];

export const refOf = (name: string): LocalRef => ({ namespace: "default", name });

export interface LogLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
  readonly fields: object;
}

/** A logger that keeps everything. */
export function recordingLogger(lines: LogLine[], bound: object = {}): Logger {
  const at = (level: LogLine["level"]) => (fields: object, message: string) =>
    void lines.push({ level, message, fields: { ...bound, ...fields } });
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: (fields) => recordingLogger(lines, { ...bound, ...fields }),
  };
}

/** A folder that is gone after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "dormouse-process-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export interface TestScaler {
  readonly scaler: GuardedScaler;
  readonly logs: readonly LogLine[];
  readonly stateDir: string;
  /** Takes other resources into the running scaler. */
  reconfigure(resources: readonly object[], options?: object): Promise<boolean>;
}

/** A scaler behind core's guard, closed after the test. */
export async function openTestScaler(resources: readonly object[], options: object = {}): Promise<TestScaler> {
  const logs: LogLine[] = [];
  const stateDir = await temporaryFolder();
  const raw = (changed: readonly object[]): object => ({ stateDir, resources: changed, ...options });
  const context = { id: "local", logger: recordingLogger(logs), clock: systemClock, defaults: defaultPolicy };
  const scaler = await openScaler(plugin, raw(resources), context);
  onTestFinished(() => scaler[Symbol.asyncDispose]());
  return {
    scaler,
    logs,
    stateDir,
    reconfigure: (changed, more = {}) => scaler.reconfigure({ ...raw(changed), ...more }, defaultPolicy),
  };
}

/** Polls until the callback does not throw. */
export function eventually<Result>(check: () => Result | Promise<Result>): Promise<Result> {
  return vi.waitFor(check, { timeout: 20_000, interval: 10 });
}

/** The resource as soon as it is as wanted. */
export function resourceWhen(
  { scaler }: TestScaler,
  name: string,
  isWanted: (resource: Resource) => boolean,
): Promise<Resource> {
  return eventually(async () => {
    const resource = await scaler.getResource(refOf(name));
    if (resource === undefined || !isWanted(resource)) throw new Error(`${name} is ${JSON.stringify(resource)}`);
    return resource;
  });
}

/** Scales up and resolves with the targets once all are ready. */
export async function wake(test: TestScaler, name: string, replicas = 1): Promise<readonly Target[]> {
  await test.scaler.setScale(refOf(name), replicas);
  await resourceWhen(test, name, ({ ready }) => ready === replicas);
  return test.scaler.resolveTargets(refOf(name), undefined);
}

/** Scales to zero and resolves once everything has ended. */
export async function sleep(test: TestScaler, name: string): Promise<void> {
  await test.scaler.setScale(refOf(name), 0);
  await resourceWhen(test, name, ({ ready }) => ready === 0);
}

/** The one target. */
export function only(targets: readonly Target[]): Target {
  const [target, ...more] = targets;
  if (target === undefined || more.length > 0) throw new Error(`${targets.length} targets, not one`);
  return target;
}

/** What a target answers. */
export async function ask({ host, port }: Pick<Target, "host" | "port">, path = "/"): Promise<string> {
  const response = await fetch(`http://${host}:${port}${path}`, { headers: { connection: "close" } });
  return response.text();
}

const table = openProcessTable(process.platform);

/** Whether a process runs; a zombie does not. */
export async function isRunning(pid: number): Promise<boolean> {
  return (await table.startOf(pid)) !== undefined;
}

/** Resolves once none of the processes runs. */
export function allEnded(pids: readonly number[]): Promise<void> {
  return eventually(async () => {
    for (const pid of pids) if (await isRunning(pid)) throw new Error(`${pid} runs`);
  });
}

/** All processes that run for a scaler instance of this test, by the id that begins their mark. */
export async function marked(prefix: string): Promise<readonly number[]> {
  return (await table.list()).filter(({ mark }) => mark?.startsWith(prefix)).map(({ pid }) => pid);
}

/** A stranger's server, closed after the test. */
export async function listen(host: string, port = 0): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port }, resolve);
  });
  onTestFinished(() => new Promise<void>((resolve) => void server.close(() => resolve())));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { server, port: address.port };
}
