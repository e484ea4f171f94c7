import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { readWorkspacePackages } from "../architecture/workspace-package.ts";
import { run } from "./run-command.ts";

/** Archives of packages, by their names, as `file:` specifiers. */
export type Archives = Readonly<Record<string, string>>;

/** Packs every package of the workspace as it would be published. Needs a build. */
export async function packAll(root: string, folder: string): Promise<Archives> {
  const archives: Record<string, string> = {};
  for (const { path, folder: name, manifest } of readWorkspacePackages(root)) {
    const place = join(folder, name);
    await mkdir(place, { recursive: true });
    await run(join(root, path), "pnpm", "pack", "--pack-destination", place);
    archives[manifest.name] = await onlyArchive(place);
  }
  return archives;
}

/** The one archive in a folder, as a `file:` specifier. */
export async function onlyArchive(folder: string): Promise<string> {
  const [archive, ...others] = (await readdir(folder)).filter((name) => name.endsWith(".tgz"));
  if (archive === undefined || others.length > 0) throw new Error(`${folder} should have one archive`);
  return `file:${join(folder, archive)}`;
}
