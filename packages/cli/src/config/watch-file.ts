import { readFile, stat } from "node:fs/promises";
import type { Clock, Milliseconds } from "@dormouse/core";

/** How often the file is looked at. A look costs one system call. */
const lookEveryMs: Milliseconds = 1_000;
/** A change counts once two readings this far apart are equal: editors and copies write in steps. */
const settleMs: Milliseconds = 200;

export interface WatchFileOptions {
  readonly clock: Clock;
  /** What the file said when watching begins. */
  readonly text: string;
  /** Called with each new content, one call after the other. */
  readonly onChange: (text: string) => Promise<void>;
}

/**
 * Watches one file by its path and its content until the signal aborts: follows symbolic links, renames and folders that
 * are swapped as Kubernetes does, and works on any file system. A file that is gone for a while is no change.
 */
export async function watchFile(file: string, options: WatchFileOptions, signal: AbortSignal): Promise<void> {
  const { clock, onChange } = options;
  let text = options.text;
  // Unknown at first, so that a change between the first reading and now is seen.
  let mark: string | undefined;
  while (await sleeps(clock, lookEveryMs, signal)) {
    const next = await markOf(file);
    if (next === undefined || next === mark) continue;
    const changed = await readSettled(file, clock, signal);
    if (changed === undefined) continue;
    mark = next;
    if (changed === text) continue;
    text = changed;
    await onChange(changed);
  }
}

async function sleeps(clock: Clock, ms: Milliseconds, signal: AbortSignal): Promise<boolean> {
  await clock.sleep(ms, signal).catch(() => {});
  return !signal.aborted;
}

/** Differs whenever the content may differ. */
async function markOf(file: string): Promise<string | undefined> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(" ");
  } catch {
    return undefined;
  }
}

/** The content once it stays the same; undefined where it does not yet, or is gone again. */
async function readSettled(file: string, clock: Clock, signal: AbortSignal): Promise<string | undefined> {
  try {
    const first = await readFile(file, "utf8");
    if (!(await sleeps(clock, settleMs, signal))) return undefined;
    return (await readFile(file, "utf8")) === first ? first : undefined;
  } catch {
    return undefined;
  }
}
