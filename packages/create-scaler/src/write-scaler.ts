import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { fillIn, fillInManifest, fillInPath } from "./fill-in-template.ts";
import type { ScalerNames } from "./scaler-names.ts";
import { UsageError } from "./usage-error.ts";
import { version } from "./version.ts";

const template = fileURLToPath(new URL("../template", import.meta.url));

/**
 * Writes a scaler into a folder that is new or empty.
 * @returns the files that were written, relative to the folder
 * @throws UsageError where the folder has something in it, is a file, or cannot be written
 */
export async function writeScaler(folder: string, names: ScalerNames): Promise<readonly string[]> {
  await refuseOccupied(folder);
  const files = await templateFiles();
  try {
    const written: string[] = [];
    for (const file of files) written.push(await writeFilledIn(file, folder, names));
    return written;
  } catch (error) {
    throw new UsageError(`${folder} cannot be written (${codeOf(error)}); choose another with --folder`);
  }
}

/** Whatever npm or an editor has left beside the template's own files is not part of it. */
async function templateFiles(): Promise<string[]> {
  const entries = await readdir(template, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return files
    .map((file) => file.slice(template.length + 1))
    .filter((file) => !/(^|[/\\])(node_modules|dist)[/\\]/.test(file))
    .toSorted();
}

async function writeFilledIn(file: string, folder: string, names: ScalerNames): Promise<string> {
  const text = await readFile(join(template, file), "utf8");
  const path = fillInPath(file, names);
  const filled = path === "package.json" ? fillInManifest(text, names, version) : fillIn(text, names);
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), filled, { flag: "wx" });
  return path;
}

/** A folder with nothing but `.git` in it counts as empty: a repository that was just made. */
async function refuseOccupied(folder: string): Promise<void> {
  const found = await readdir(folder).catch((error: unknown) => {
    const code = codeOf(error);
    if (code === "ENOENT") return [];
    const problem = code === "ENOTDIR" ? "is a file" : `cannot be read (${code})`;
    throw new UsageError(`${folder} ${problem}; choose another with --folder`);
  });
  const others = found.filter((name) => name !== ".git");
  if (others.length > 0) {
    throw new UsageError(`${folder} is not empty (it has ${others[0] ?? ""}); choose another with --folder`);
  }
}

function codeOf(error: unknown): string {
  const code: unknown = error instanceof Error ? Reflect.get(error, "code") : undefined;
  return typeof code === "string" ? code : String(error);
}
