import { checkAmbientAccess } from "./ambient-access.ts";
import type { AmbientException } from "./ambient-access.ts";
import { checkDependencyDirection } from "./dependency-direction.ts";
import { checkDocumentedExports } from "./documented-exports.ts";
import { checkFileShape } from "./file-shape.ts";
import type { Problem } from "./problem.ts";
import { checkScalerSkeleton } from "./scaler-skeleton.ts";
import { readSourceFiles } from "./source-file.ts";
import { readWorkspacePackages } from "./workspace-package.ts";

/** Every place of the workspace at `root` that breaks a rule of the architecture. */
export function checkArchitecture(root: string, exceptions: readonly AmbientException[]): Problem[] {
  const packages = readWorkspacePackages(root);
  const others = ["bench", "e2e", "examples", "scripts"].flatMap((folder) => readSourceFiles(root, folder));
  return [
    ...checkDependencyDirection(packages),
    ...checkAmbientAccess(packages, exceptions),
    ...checkScalerSkeleton(packages),
    ...checkDocumentedExports(packages),
    ...checkFileShape([...packages.flatMap(({ files }) => files), ...others]),
  ];
}
