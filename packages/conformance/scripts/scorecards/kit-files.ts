import { globSync } from "node:fs";
import { join } from "node:path";

/** Folder of the workspace. */
export const root = join(import.meta.dirname, "../../../..");

/** The page that has all scorecards. */
export const pageFile = join(root, "docs/scorecards.md");

/** Every test of the workspace that runs the kit on a scaler of ours, as paths from its root. A new package needs no entry. */
export function findKitFiles(): string[] {
  const found = globSync("packages/*/test/**/conformance*.test.ts", { cwd: root });
  return found.filter((file) => !file.includes("node_modules")).toSorted();
}
