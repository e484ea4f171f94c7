import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readSourceFiles } from "./source-file.ts";
import type { SourceFile } from "./source-file.ts";

/** The fields of a package.json that rules look at. */
export interface Manifest {
  readonly name: string;
  readonly exports?: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** One folder of `packages/` with everything that rules look at. */
export interface WorkspacePackage {
  /** Name of the folder, for example `scaler-process`. */
  readonly folder: string;
  /** Path from the workspace root, for example `packages/scaler-process`. */
  readonly path: string;
  readonly root: string;
  readonly manifest: Manifest;
  readonly files: readonly SourceFile[];
}

/** Every package of the workspace at `root`, sorted by folder. */
export function readWorkspacePackages(root: string): WorkspacePackage[] {
  const folders = readdirSync(join(root, "packages"), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return folders.map(({ name }) => readWorkspacePackage(root, name)).sort((a, b) => a.folder.localeCompare(b.folder));
}

function readWorkspacePackage(root: string, folder: string): WorkspacePackage {
  const path = join("packages", folder);
  const manifest = JSON.parse(readFileSync(join(root, path, "package.json"), "utf8")) as Manifest;
  return { folder, path, root, manifest, files: readSourceFiles(root, path) };
}
