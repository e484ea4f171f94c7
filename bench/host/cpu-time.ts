import { readdirSync, readFileSync } from "node:fs";

/** Clock ticks in /proc are 1/100 s on every Linux that Node runs on (`getconf CLK_TCK`). */
const tickMs = 10;

/** CPU time that these processes have used so far, in user and kernel mode together, in ms (proc_pid_stat(5)). */
export function cpuTimeMs(pids: readonly number[]): number {
  return pids.map((pid) => statOf(pid)).reduce((sum, { cpuTicks }) => sum + cpuTicks * tickMs, 0);
}

/** The process and its children, for servers with worker processes. */
export function withChildren(pid: number): readonly number[] {
  const all = readdirSync("/proc").map(Number).filter(Number.isInteger);
  return [pid, ...all.filter((each) => parentOf(each) === pid)];
}

function parentOf(pid: number): number | undefined {
  try {
    return statOf(pid).parent;
  } catch {
    return undefined; // It has ended since the list was read.
  }
}

function statOf(pid: number): { readonly parent: number; readonly cpuTicks: number } {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The command's name in parentheses may hold anything; the third field follows its last one.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { parent: Number(fields[1]), cpuTicks: Number(fields[11]) + Number(fields[12]) };
}
