import { access, constants, lstat, mkdir } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { ScalerError } from "@dormouse/core";
import { errorMessage } from "./error-message.ts";

/**
 * Opens the folder of the state files and resolves with its path: the configured one, else one in the user's home, else
 * (no home, or a read-only one) one in the temporary folder. Rejects with `SCALER_BAD_OPTIONS`.
 */
export async function openStateFolder(configured: string | undefined): Promise<string> {
  const problems: string[] = [];
  for (const path of configured === undefined ? defaultFolders() : [resolve(configured)]) {
    try {
      return await openFolder(path);
    } catch (error) {
      problems.push(errorMessage(error));
    }
  }
  const message = `stateDir: no folder to remember running processes in (${problems.join("; ")}): name a writable one of your own`;
  throw new ScalerError("SCALER_BAD_OPTIONS", message);
}

function defaultFolders(): string[] {
  const temporary = join(tmpdir(), `dormouse-${userId() ?? "user"}`, "process");
  try {
    return [join(homedir(), ".local", "state", "dormouse", "process"), temporary];
  } catch {
    return [temporary];
  }
}

/** Only a folder of our own: another user could have us end any process by a record of it. */
async function openFolder(path: string): Promise<string> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  const stats = await lstat(path);
  if (!stats.isDirectory()) throw new Error(`${path} is no folder`);
  if (!isOwn(stats.uid)) throw new Error(`${path} belongs to another user`);
  if ((stats.mode & 0o022) !== 0) throw new Error(`${path} can be written by other users`);
  await access(path, constants.W_OK | constants.X_OK);
  return path;
}

/** Whether a file belongs to the user that runs this process. */
export function isOwn(uid: number): boolean {
  return userId() === undefined || uid === userId();
}

function userId(): number | undefined {
  return process.getuid?.();
}
