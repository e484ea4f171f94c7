import { access, constants, stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { ConfigIssue } from "@dormouse/core";
import { hostEnvironment } from "./host-environment.ts";
import type { ResourceSpec } from "./process-options.ts";
import { systemErrorCode } from "./system-error-code.ts";

/** Where programs are looked for by those who have no PATH. */
const defaultPath = "/usr/local/bin:/usr/bin:/bin";

/** What is wrong with a resource's command and working directory on this machine; places are below the resource. */
export async function checkCommand(spec: ResourceSpec): Promise<readonly ConfigIssue[]> {
  const folder = resolve(spec.cwd ?? ".");
  if (!(await isFolder(folder))) return [missingFolder(folder)];
  const [command = ""] = spec.command;
  const files = candidates(command, folder, spec);
  const found = await Promise.all(files.map(runnability));
  if (found.includes("runs")) return [];
  const refused = files[found.indexOf("refused")];
  return [refused === undefined ? missingCommand(command, folder) : refusedCommand(refused)];
}

/** As execvp(3) looks a program up, after the change to the working directory. */
function candidates(command: string, folder: string, { env }: ResourceSpec): readonly string[] {
  if (command.includes("/")) return [resolve(folder, command)];
  const path = String(env["PATH"] ?? hostEnvironment()["PATH"] ?? defaultPath);
  return path.split(":").map((entry) => resolve(folder, entry, command));
}

async function runnability(file: string): Promise<"runs" | "refused" | "missing"> {
  try {
    if (!(await stat(file)).isFile()) return "missing";
    await access(file, constants.X_OK);
    return "runs";
  } catch (error) {
    return systemErrorCode(error) === "EACCES" ? "refused" : "missing";
  }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

function missingFolder(folder: string): ConfigIssue {
  const mend = "create it or correct the path, which begins at the host's working directory";
  return { place: "cwd", problem: `is no folder: ${folder}`, mend };
}

function missingCommand(command: string, folder: string): ConfigIssue {
  const mend = command.includes("/")
    ? `paths begin at ${folder}`
    : "check its spelling, install it or give its full path";
  return { place: "command[0]", problem: `"${command}" was not found`, mend };
}

function refusedCommand(file: string): ConfigIssue {
  const mend = "make it executable (chmod +x) or name its interpreter first";
  return { place: "command[0]", problem: `may not be run: ${file}`, mend };
}
