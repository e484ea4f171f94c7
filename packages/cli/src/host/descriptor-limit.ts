import { readFileSync } from "node:fs";

/** How many file descriptors this process may have open; undefined where nobody says so, which is anywhere but on Linux. */
export function descriptorLimit(): number | undefined {
  try {
    return parseDescriptorLimit(readFileSync("/proc/self/limits", "utf8"));
  } catch {
    return undefined;
  }
}

/** The soft limit (proc_pid_limits(5)); Node raises it to the hard one when it starts. */
export function parseDescriptorLimit(text: string): number | undefined {
  const soft = /^Max open files\s+(\d+)/m.exec(text)?.[1];
  return soft === undefined ? undefined : Number(soft);
}
