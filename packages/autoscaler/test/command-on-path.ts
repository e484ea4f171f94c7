import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** The path of a command, or undefined where the machine lacks it. */
export function commandOnPath(name: string): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
