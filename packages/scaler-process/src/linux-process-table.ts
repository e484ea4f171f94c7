import { readdir, readFile, readlink } from "node:fs/promises";
import { markVariable, type ProcessEntry, type ProcessTable } from "./process-table.ts";
import { shareRuns } from "./share-runs.ts";

/** Processes that are read at once; more would crowd out the thread pool that DNS and files share. */
const concurrency = 8;

/** Processes by `/proc` (proc_pid_stat(5), proc_pid_environ(5)). */
export function linuxProcessTable(): ProcessTable {
  return { scope, startOf: async (pid) => (await readStat(pid))?.started, list: shareRuns(listProcesses) };
}

async function scope(): Promise<string> {
  const boot = await readFile("/proc/sys/kernel/random/boot_id", "utf8");
  return `${boot.trim()} ${await readlink("/proc/self/ns/pid")}`;
}

async function listProcesses(): Promise<readonly ProcessEntry[]> {
  const pids = (await readdir("/proc")).map(Number).filter(Number.isInteger);
  const found: ProcessEntry[] = [];
  const work = pids.values();
  const readRest = async (): Promise<void> => {
    for (const pid of work) {
      const entry = await readProcess(pid);
      if (entry !== undefined) found.push(entry);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, readRest));
  return found;
}

async function readProcess(pid: number): Promise<ProcessEntry | undefined> {
  const stat = await readStat(pid);
  return stat === undefined ? undefined : { pid, ...stat, mark: await readMark(pid) };
}

async function readStat(pid: number): Promise<{ group: number; started: string } | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  return text === undefined ? undefined : parseStat(text);
}

/** The group (field 5) and the start in clock ticks since boot (field 22); undefined for a zombie. */
export function parseStat(text: string): { group: number; started: string } | undefined {
  // Field 2 is the program's name in parentheses, which may itself hold spaces and parentheses.
  const [state, , group, ...rest] = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const started = rest[16];
  if (group === undefined || started === undefined || state === "Z" || state === "X") return undefined;
  return { group: Number(group), started };
}

/** Undefined also where the process belongs to another user. */
async function readMark(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/environ`, "latin1").catch(() => "");
  const prefix = `${markVariable}=`;
  return text
    .split("\0")
    .find((variable) => variable.startsWith(prefix))
    ?.slice(prefix.length);
}
