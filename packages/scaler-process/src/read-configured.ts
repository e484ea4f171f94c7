import { ConfigError, type ConfigIssue, isConfigError, parsePolicy, type Policy } from "@dormouse/core";
import { checkCommand } from "./check-command.ts";
import type { ProcessOptions, ResourceSpec } from "./process-options.ts";
import { type Configured, portName } from "./process-resource.ts";

/** What is configured of one resource, without a port. */
export type ReadResource = Omit<Configured, "port">;

/** Reads the policies and looks for the commands. Rejects with a ConfigError that names everything that is wrong. */
export async function readConfigured(
  { resources }: ProcessOptions,
  defaults: Policy,
): Promise<readonly ReadResource[]> {
  const issues: ConfigIssue[] = [];
  const configured: ReadResource[] = [];
  for (const [index, spec] of resources.entries()) {
    const place = `resources[${index}]`;
    const policy = readPolicy(spec, defaults, `${place}.policy`, issues);
    for (const issue of await checkCommand(spec)) issues.push({ ...issue, place: `${place}.${issue.place}` });
    if (policy !== undefined) configured.push({ spec, policy });
  }
  if (issues.length > 0) throw new ConfigError(issues);
  return configured;
}

/** What is written in the configuration is managed: `enabled` is true unless it says otherwise. */
function readPolicy(spec: ResourceSpec, defaults: Policy, place: string, issues: ConfigIssue[]): Policy | undefined {
  try {
    const policy = parsePolicy(spec.policy, { ...defaults, enabled: true }, place);
    if (policy.port === undefined || policy.port === portName) return policy;
    const mend = `leave it out, or write "${portName}"`;
    issues.push({ place: `${place}.port`, problem: "is no port of a process", mend });
  } catch (error) {
    if (!isConfigError(error)) throw error;
    issues.push(...error.issues);
  }
  return undefined;
}
