import { access, constants, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { ConfigError } from "@dormouse/core";
import { childEnvironment } from "./child-environment.ts";
import type { ExecOptions } from "./remote-options.ts";

/** Where execvp(3) looks without a PATH. */
const defaultPath = "/usr/bin:/bin";

/** Rejects with a ConfigError where the working directory or the program is not there or may not be run. */
export async function checkCommand(exec: ExecOptions): Promise<void> {
  const folder = resolve(exec.cwd ?? ".");
  if (!(await isFolder(folder))) throw wrong("exec.cwd", `is no folder: ${folder}`, "create it or correct the path");
  const [command = ""] = exec.command;
  const path = childEnvironment(exec)["PATH"] ?? defaultPath;
  const files = command.includes("/")
    ? [resolve(folder, command)]
    : path.split(":").map((entry) => resolve(folder, entry, command));
  const found = await Promise.all(files.map(isRunnable));
  if (found.includes(true)) return;
  const mend = command.includes("/")
    ? `it must be there and executable; relative paths begin at ${folder}`
    : "install it, or give its full path; it is looked for in the PATH of env, or of the host where inherit has PATH";
  throw wrong("exec.command[0]", `"${command}" cannot be run`, mend);
}

async function isRunnable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

function wrong(place: string, problem: string, mend: string): ConfigError {
  return new ConfigError([{ place, problem, mend }]);
}
