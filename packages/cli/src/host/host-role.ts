import {
  type CatalogEntry,
  type ConfigIssue,
  type DormouseConfig,
  formatRef,
  pluginId,
  type Resource,
} from "@dormouse/core";
import type { LoadedConfig } from "../config/load-config.ts";
import { scalersThatList, writtenResources, type WrittenResource } from "../config/written-resources.ts";

/** Which parts a process runs: `up` both, the others one each, beside hosts of the other kind. */
export type HostRole = "up" | "dlx" | "autoscaler";

/** A resource as its scaler lists it. */
export type ListedResource = Pick<CatalogEntry, "key" | "ref"> & { readonly resource: Pick<Resource, "policy"> };

/**
 * Whether a configuration can be run by such a host.
 * @param listed what is known of the scalers' resources besides what the configuration says itself
 * @throws RefusedConfig with the place and the mend
 */
export function checkRole(loaded: LoadedConfig, role: HostRole, listed: readonly ListedResource[] = []): void {
  const issues = role === "up" ? issuesOfOneHost(loaded) : issuesOfSplitHost(loaded, role, listed);
  if (issues.length > 0) throw loaded.refuseIssues(issues);
}

function issuesOfOneHost({ config: { cluster } }: LoadedConfig): ConfigIssue[] {
  const keys = (["peers", "leader"] as const).filter((key) => cluster[key] !== undefined);
  const problem = "is for hosts that run apart, and `dormouse up` runs everything in one process";
  const mend = "leave it out, or run `dormouse dlx` and `dormouse autoscaler` instead";
  return keys.map((key) => ({ place: `cluster.${key}`, problem, mend }));
}

function issuesOfSplitHost({ config }: LoadedConfig, role: HostRole, listed: readonly ListedResource[]): ConfigIssue[] {
  if (config.cluster.peers !== undefined || (role === "autoscaler" && neverSleeps(config, listed))) return [];
  const problem = `is missing, and without it \`dormouse ${role}\` cannot know which DLXs there are`;
  const discovery =
    "name a peer discovery, for example { use: static, options: { dlxs: [{ id: a, url: http://127.0.0.1:8081 }], self: a } }, or run `dormouse up`";
  const mend =
    role === "autoscaler" ? `${discovery}; none is needed where every resource has minReplicas: 1 or more` : discovery;
  return [{ place: "cluster.peers", problem, mend }];
}

/**
 * Whether no resource is ever put to sleep, so that no DLX has to be known: by the configuration, or by a scaler that lists
 * it and knows that its platform takes no 0. A scaler whose resources nobody knows yet may have any.
 */
function neverSleeps(config: DormouseConfig, listed: readonly ListedResource[]): boolean {
  const writing = scalersThatList(config);
  const lowest = new Map(listed.map(({ key, resource }) => [key, resource.policy.minReplicas]));
  const isKept = ({ ref, policy }: WrittenResource): boolean =>
    policy.minReplicas > 0 || (lowest.get(formatRef(ref)) ?? 0) > 0;
  return (
    config.scalers.map(pluginId).every((id) => writing.has(id) || isListedAwake(id, listed)) &&
    writtenResources(config).every(isKept)
  );
}

function isListedAwake(scaler: string, listed: readonly ListedResource[]): boolean {
  const own = listed.filter(({ ref }) => ref.scaler === scaler);
  return own.length > 0 && own.every(({ resource }) => resource.policy.minReplicas > 0);
}
