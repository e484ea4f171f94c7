import { type ConfigIssue, type DormouseConfig, pluginId } from "@dormouse/core";
import { findDependencyProblems } from "./find-dependency-problems.ts";
import { findRouteConflicts, type HostListeners } from "./find-route-conflicts.ts";
import type { LoadedConfig } from "./load-config.ts";
import type { PlacedResource } from "./placed-resource.ts";
import { scalersThatList, writtenResources } from "./written-resources.ts";

/**
 * What is wrong between the resources that a configuration lists itself: one route for two of them, dependencies that
 * lead nowhere or in a circle. Opens nothing.
 * @throws RefusedConfig
 */
export function checkWrittenResources(loaded: LoadedConfig): void {
  const issues = resourceIssues(loaded.config, writtenResources(loaded.config), scalersThatList(loaded.config));
  if (issues.length > 0) throw loaded.refuseIssues(issues);
}

/**
 * The same for any set of resources.
 * @param complete ids of the scalers of which every resource is given
 */
export function resourceIssues(
  config: DormouseConfig,
  resources: readonly PlacedResource[],
  complete: ReadonlySet<string>,
): ConfigIssue[] {
  const known = { scalers: config.scalers.map(pluginId), isComplete: (scaler: string) => complete.has(scaler) };
  return [...findRouteConflicts(resources, hostListeners(config)), ...findDependencyProblems(resources, known)];
}

function hostListeners({ admin, dlx }: DormouseConfig): HostListeners {
  return new Map([
    ["admin.listen", [admin.listen]],
    ["dlx.listen", typeof dlx.listen === "string" ? [dlx.listen] : dlx.listen],
  ]);
}
