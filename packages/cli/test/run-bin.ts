import { type ChildProcess, spawn } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const bin = fileURLToPath(new URL("../src/bin.ts", import.meta.url));

/** The `dormouse` command as people run it, from its sources. */
export interface Bin {
  readonly pid: number;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Resolves with the exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  kill(signal: NodeJS.Signals): void;
}

export interface BinOptions {
  /** Working directory and home. */
  readonly folder: string;
  readonly environment?: Readonly<Record<string, string>>;
}

const started = new Set<ChildProcess>();

/** Starts the command; `endBins` ends what is left of it. */
export function startBin(args: readonly string[], { folder, environment = {} }: BinOptions): Bin {
  const child = spawn(process.execPath, ["--conditions=@dormouse/source", bin, ...args], {
    cwd: folder,
    env: {
      PATH: process.env["PATH"],
      HOME: folder,
      ...environment,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  started.add(child);
  const text = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (text.stdout += chunk));
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (text.stderr += chunk));
  const ended = new Promise<number | NodeJS.Signals>((resolve) => {
    child.on("close", (code, signal) => {
      started.delete(child);
      resolve(code ?? signal ?? -1);
    });
  });
  return {
    pid: child.pid ?? -1,
    stdout: () => text.stdout,
    stderr: () => text.stderr,
    ended,
    kill: (signal) => void child.kill(signal),
  };
}

/** Runs the command to its end. */
export async function runBin(
  args: readonly string[],
  options: BinOptions,
): Promise<{ readonly code: number | NodeJS.Signals; readonly stdout: string; readonly stderr: string }> {
  const running = startBin(args, options);
  const code = await running.ended;
  return { code, stdout: running.stdout(), stderr: running.stderr() };
}

/** Ends every command that a test has left running, and waits for that. */
export async function endBins(): Promise<void> {
  const left = [...started];
  for (const child of left) child.kill("SIGKILL");
  await Promise.all(
    left.map(
      (child) => new Promise((resolve) => (child.exitCode === null ? child.on("close", resolve) : resolve(undefined))),
    ),
  );
}

/** Ids of the processes on this machine that have a text on their command line. */
export async function processesWith(text: string): Promise<readonly number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(
    pids.map(async (pid) => ({
      pid: Number(pid),
      line: await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => ""),
    })),
  );
  return lines.filter(({ line }) => line.includes(text)).map(({ pid }) => pid);
}
