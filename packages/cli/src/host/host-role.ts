import type { ConfigIssue } from "@dormouse/core";
import type { LoadedConfig } from "../config/load-config.ts";

/** Which parts a process runs: `up` both, the others one each, beside hosts of the other kind. */
export type HostRole = "up" | "dlx" | "autoscaler";

/**
 * Whether a configuration can be run by such a host.
 * @throws RefusedConfig with the place and the mend
 */
export function checkRole(loaded: LoadedConfig, role: HostRole): void {
  const issues = role === "up" ? issuesOfOneHost(loaded) : issuesOfSplitHost(loaded, role);
  if (issues.length > 0) throw loaded.refuseIssues(issues);
}

function issuesOfOneHost({ config: { cluster } }: LoadedConfig): ConfigIssue[] {
  const keys = (["peers", "leader"] as const).filter((key) => cluster[key] !== undefined);
  const problem = "is for hosts that run apart, and `dormouse up` runs everything in one process";
  const mend = "leave it out, or run `dormouse dlx` and `dormouse autoscaler` instead";
  return keys.map((key) => ({ place: `cluster.${key}`, problem, mend }));
}

function issuesOfSplitHost({ config: { cluster } }: LoadedConfig, role: HostRole): ConfigIssue[] {
  if (cluster.peers !== undefined) return [];
  const problem = `is missing, and without it \`dormouse ${role}\` cannot know which DLXs there are`;
  const mend =
    "name a peer discovery, for example { use: static, options: { dlxs: [{ id: a, url: http://127.0.0.1:8081 }], self: a } }, or run `dormouse up`";
  return [{ place: "cluster.peers", problem, mend }];
}
