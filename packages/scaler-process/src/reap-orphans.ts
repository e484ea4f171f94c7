import { lstat, readdir, readFile, rename, rm } from "node:fs/promises";
import { constants, hostname } from "node:os";
import { join } from "node:path";
import type { Clock, Logger, Milliseconds } from "@dormouse/core";
import { endProcesses } from "./end-processes.ts";
import { errorMessage } from "./error-message.ts";
import { type RecordedChild, recordSchema, type StateRecord } from "./orphan-record.ts";
import type { ProcessEntry, ProcessTable } from "./process-table.ts";
import { isOwn } from "./state-folder.ts";
import { systemErrorCode } from "./system-error-code.ts";

/** Who has marked nothing but an id gets this long to stop. */
const defaultGraceMs: Milliseconds = 10_000;

/** A process has no environment, and so no mark, for a moment while the kernel loads its program. */
const secondLookMs: Milliseconds = 100;

export interface ReapOptions {
  readonly folder: string;
  readonly table: ProcessTable;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface StateFile {
  readonly path: string;
  readonly record: StateRecord;
}

/**
 * Ends what hosts that were killed left running. A host counts as dead if no process with its pid and start time runs.
 * What is ended is known by pid and start time, by the mark in its environment, or as a member of such a process's
 * group; nothing else. Records of other machines and boots are left alone. Never rejects.
 */
export async function reapOrphans(options: ReapOptions): Promise<void> {
  try {
    const dead = await findDeadRecords(options);
    // One host's orphans after the other's would add up their graces.
    await Promise.all(dead.map((file) => reapRecord(file, options)));
  } catch (error) {
    options.logger.warn(
      { error: errorMessage(error), folder: options.folder },
      "could not look for what earlier hosts left running",
    );
  }
}

async function findDeadRecords(options: ReapOptions): Promise<StateFile[]> {
  const scope = await options.table.scope();
  const names = (await readdir(options.folder)).filter((name) => name.endsWith(".json"));
  const files = await Promise.all(names.map((name) => readRecord(join(options.folder, name), options)));
  const dead: StateFile[] = [];
  for (const file of files) if (file !== undefined && (await isDead(file, scope, options))) dead.push(file);
  return dead;
}

async function isDead({ path, record }: StateFile, scope: string, { table }: ReapOptions): Promise<boolean> {
  if (record.scope === scope) return (await table.startOf(record.owner.pid)) !== record.owner.started;
  // A record of this machine from before its last boot has nothing left to end. One of another machine (a shared home)
  // or of another container is its own affair.
  const isEarlierBoot = record.machine === hostname() && bootOf(record.scope) !== bootOf(scope);
  if (isEarlierBoot) await removeRecord(path);
  return false;
}

function bootOf(scope: string): string {
  return scope.split(" ")[0] ?? scope;
}

/** A file that is no record is named and moved aside; nothing is ended by it. */
async function readRecord(path: string, { logger }: ReapOptions): Promise<StateFile | undefined> {
  try {
    if (!isOwn((await lstat(path)).uid)) throw new Error("it belongs to another user");
    const content: unknown = JSON.parse(await readFile(path, "utf8"));
    if (isOfNewerFormat(content)) return undefined;
    return { path, record: recordSchema.parse(content) };
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    logger.warn(
      { error: errorMessage(error), file: path },
      "a state file is not usable; moved aside, nothing was ended by it",
    );
    await rename(path, `${path}.unusable`).catch(() => {});
    return undefined;
  }
}

function isOfNewerFormat(content: unknown): boolean {
  const format: unknown = typeof content === "object" && content !== null ? Reflect.get(content, "format") : undefined;
  return typeof format === "number" && format > 1;
}

async function reapRecord({ path, record }: StateFile, options: ReapOptions): Promise<void> {
  const seen = new Set<number>();
  let remaining = await endOrphans(record, seen, options);
  await options.clock.sleep(secondLookMs);
  if (remaining.length === 0) remaining = await endOrphans(record, seen, options);
  const fields = { pids: [...seen], host: record.owner.pid };
  if (remaining.length > 0) return options.logger.error(fields, "could not end what a killed host left running");
  if (seen.size > 0) options.logger.warn(fields, "ended what a killed host left running");
  await removeRecord(path);
}

/** Adds to `seen` whom it finds, and resolves with those that could not be ended. */
function endOrphans(
  record: StateRecord,
  seen: Set<number>,
  { table, clock }: ReapOptions,
): Promise<readonly ProcessEntry[]> {
  const findOrphans = orphanFinder(record);
  const graces = record.children.map(({ stopGraceMs }) => stopGraceMs);
  return endProcesses({
    find: async () => {
      const orphans = findOrphans(await table.list());
      for (const { pid } of orphans) seen.add(pid);
      return orphans;
    },
    signalFor: (entry) => toSignal(childOf(record, entry)?.stopSignal),
    graceMs: graces.length === 0 ? defaultGraceMs : Math.max(...graces),
    clock,
  });
}

/** Finds, in one listing after the other, the running processes that the record's host started. */
export function orphanFinder(record: StateRecord): (processes: readonly ProcessEntry[]) => readonly ProcessEntry[] {
  // Groups whose leader was one of the record's children. The leader may go first; the number is nobody else's until
  // the last member has gone.
  const groups = new Set<number>();
  return (processes) => {
    for (const entry of processes) if (childOf(record, entry) !== undefined) groups.add(entry.pid);
    for (const group of groups) if (!processes.some((entry) => entry.group === group)) groups.delete(group);
    return processes.filter(
      (entry) => entry.pid !== process.pid && (groups.has(entry.group) || isMarked(record, entry)),
    );
  };
}

function isMarked({ instance }: StateRecord, { mark }: ProcessEntry): boolean {
  return mark?.startsWith(`${instance}.`) === true;
}

/** A child leads its own group, so that what it started and kept there is known by it. */
function childOf(record: StateRecord, { pid, started }: ProcessEntry): RecordedChild | undefined {
  return record.children.find((child) => child.pid === pid && child.started === started);
}

function toSignal(name: string | undefined): NodeJS.Signals {
  return name !== undefined && Object.hasOwn(constants.signals, name) ? (name as NodeJS.Signals) : "SIGTERM";
}

async function removeRecord(path: string): Promise<void> {
  await rm(path, { force: true }).catch(() => {});
  await rm(`${path}.tmp`, { force: true }).catch(() => {});
}
