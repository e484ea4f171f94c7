import { spawn } from "node:child_process";

/** Longest time for one command: an install on a slow line, a whole kit on a busy machine. */
const longestMs = 300_000;

/** A program that runs until it is stopped. */
export interface RunningProgram extends AsyncDisposable {
  /** Everything that it has printed so far. */
  readonly output: string;
  /** Rejects once it has ended by itself, with what it printed. */
  readonly failed: Promise<never>;
}

/**
 * Runs a command to its end, as a stranger would in an empty folder: without what this workspace puts into the environment.
 * @returns what it printed
 * @throws Error with what it printed, where it does not exit with 0
 */
export async function run(cwd: string, command: string, ...args: readonly string[]): Promise<string> {
  const child = spawn(command, args, {
    cwd,
    env: cleanEnvironment(),
    stdio: ["ignore", "pipe", "pipe"],
    timeout: longestMs,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (part) => (output += String(part)));
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.once("error", reject);
  child.once("close", resolve);
  const exitCode = await promise;
  if (exitCode === 0) return output;
  throw new Error(`${[command, ...args].join(" ")} in ${cwd} exited with ${String(exitCode)}:\n${output}`);
}

/** Starts a program; disposing it ends it and everything that it started. */
export function start(
  cwd: string,
  environment: Readonly<Record<string, string>>,
  command: string,
  ...args: readonly string[]
): RunningProgram {
  const child = spawn(command, args, {
    cwd,
    env: { ...cleanEnvironment(), ...environment },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (part) => (output += String(part)));
  const { promise: failed, reject } = Promise.withResolvers<never>();
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  failed.catch(() => {});
  child.once("error", reject);
  child.once("close", (exitCode) => {
    reject(new Error(`${[command, ...args].join(" ")} ended with ${String(exitCode)}:\n${output}`));
    resolve();
  });
  return {
    get output() {
      return output;
    },
    failed,
    async [Symbol.asyncDispose]() {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGTERM");
      await closed;
    },
  };
}

/** Package managers hand their settings down in variables; only where packages come from is kept. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) =>
      !/^(npm_|pnpm_|node_env$|node_test|vitest)/i.test(name) || /^npm_config_(registry|userconfig)$/i.test(name),
  );
  return Object.fromEntries(kept);
}
