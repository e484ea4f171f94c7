// Packs every public package as it would be published, and has publint and attw judge the archive. Needs a build.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readWorkspacePackages } from "./architecture/workspace-package.ts";
import type { WorkspacePackage } from "./architecture/workspace-package.ts";

const root = join(import.meta.dirname, "..");

function run(command: string, ...parameters: readonly string[]): void {
  execFileSync(command, parameters, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
}

/** Packs into a new folder and hands the archive to `judge`; the folder goes away in any case. */
function withArchive({ path }: WorkspacePackage, judge: (archive: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "dormouse-package-"));
  try {
    run("pnpm", "--dir", path, "--silent", "pack", "--pack-destination", folder);
    for (const archive of readdirSync(folder)) judge(join(folder, archive));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Entry points that are data: they have no types to be wrong. */
function dataEntryPoints({ manifest }: WorkspacePackage): string[] {
  const exported = Object.entries(manifest.exports ?? {});
  return exported.filter(([, target]) => typeof target === "string").map(([name]) => name);
}

for (const each of readWorkspacePackages(root)) {
  withArchive(each, (archive) => {
    run("publint", "run", archive, "--strict");
    const data = dataEntryPoints(each);
    if (data.length === Object.keys(each.manifest.exports ?? {}).length) return;
    run(
      "attw",
      archive,
      "--profile",
      "esm-only",
      "--format",
      "ascii",
      "--no-summary",
      "--exclude-entrypoints",
      ...data,
    );
  });
}
