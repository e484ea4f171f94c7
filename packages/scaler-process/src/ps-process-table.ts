import { execFile } from "node:child_process";
import { hostname } from "node:os";
import { promisify } from "node:util";
import { markVariable, type ProcessEntry, type ProcessTable } from "./process-table.ts";
import { shareRuns } from "./share-runs.ts";
import { systemErrorCode } from "./system-error-code.ts";

const run = promisify(execFile);

/** Environments of all processes together may be long. */
const mostOutputBytes = 64 * 1_048_576;
const longestRunMs = 10_000;

/** `lstart` is local time in the locale's words, unless these say otherwise. */
const env = { LC_ALL: "C", TZ: "UTC" };

/**
 * Processes by `ps`, where there is no `/proc`. macOS hides the environment of its own programs (`/bin/sh`,
 * `/usr/bin/python3`) even from their owner, so marks of these are missing.
 */
export function psProcessTable(platform: NodeJS.Platform): ProcessTable {
  return {
    scope: () => scope(platform),
    startOf: async (pid) => parseProcesses(await ps(["-o", columns, "-p", String(pid)]))[0]?.started,
    list: shareRuns(async () => parseProcesses(await ps([...everythingWithEnvironment(platform), "-o", columns]))),
  };
}

const columns = "pid=,pgid=,stat=,lstart=,command=";

function everythingWithEnvironment(platform: NodeJS.Platform): readonly string[] {
  return platform === "linux" ? ["axwwe"] : ["-Axww", "-E"];
}

/** `ps` exits with 1 where no process fits, which is an answer. */
async function ps(args: readonly string[]): Promise<string> {
  try {
    return (await run("/bin/ps", args, { env, maxBuffer: mostOutputBytes, timeout: longestRunMs })).stdout;
  } catch (error) {
    if (systemErrorCode(error) === 1) return "";
    throw error;
  }
}

async function scope(platform: NodeJS.Platform): Promise<string> {
  if (platform !== "darwin") return hostname();
  const { stdout } = await run("/usr/sbin/sysctl", ["-n", "kern.bootsessionuuid"], { env, timeout: longestRunMs });
  return stdout.trim();
}

/** pid, group, state, start (`Sun Nov 23 10:53:00 2026`), then the command with its environment. */
const row = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(\S+\s+\S+\s+\d+\s+[\d:]+\s+\d{4})(?:\s(.*))?$/;
const markPattern = new RegExp(String.raw`(?:^|\s)${markVariable}=(\S+)`);

/** Reads what `ps -o pid=,pgid=,stat=,lstart=,command=` prints; zombies are left out. */
export function parseProcesses(output: string): readonly ProcessEntry[] {
  return output.split("\n").flatMap((line) => {
    const [, pid, group, state, started, command] = row.exec(line) ?? [];
    if (pid === undefined || state === undefined || started === undefined || state.startsWith("Z")) return [];
    const mark = markPattern.exec(command ?? "")?.[1];
    return [{ pid: Number(pid), group: Number(group), started: started.replace(/\s+/g, " "), mark }];
  });
}
