import { ConfigError, type ConfigIssue, isConfigError, type LocalRef, parsePolicy, type Policy } from "@dormouse/core";
import type { HttpOptions, ResourceSpec } from "./http-options.ts";
import { portName } from "./http-resource.ts";
import { type Api, resolveApi } from "./resolve-api.ts";

/** One resource as it is configured, its policy read. */
export interface ReadResource {
  readonly ref: LocalRef;
  readonly api: Api;
  readonly policy: Policy;
  readonly replicas: number;
}

/** Reads the policies. @throws ConfigError that names everything that is wrong */
export function readConfigured(options: HttpOptions, defaults: Policy): readonly ReadResource[] {
  const issues: ConfigIssue[] = [];
  const read = options.resources.map((spec, index) =>
    readResource(options, spec, defaults, `resources[${index}].policy`, issues),
  );
  if (issues.length > 0) throw new ConfigError(issues);
  return read.filter((resource) => resource !== undefined);
}

function readResource(
  options: HttpOptions,
  spec: ResourceSpec,
  defaults: Policy,
  place: string,
  issues: ConfigIssue[],
): ReadResource | undefined {
  const api = resolveApi(options, spec);
  try {
    // What the API does not take is decided by nobody: with a minimum of 1 or more a resource never sleeps.
    const minReplicas = Math.max(api.minimum, defaults.minReplicas);
    const policy = parsePolicy(spec.policy, { ...defaults, enabled: true, minReplicas }, place);
    issues.push(...issuesOf(policy, api, place));
    const { namespace, name } = spec;
    return { ref: { namespace, name }, api, policy, replicas: spec.replicas ?? Math.max(1, api.minimum) };
  } catch (error) {
    if (!isConfigError(error)) throw error;
    issues.push(...error.issues);
    return undefined;
  }
}

function issuesOf(policy: Policy, api: Api, place: string): ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  if (policy.port !== undefined && policy.port !== portName)
    issues.push({
      place: `${place}.port`,
      problem: "is no port of this resource",
      mend: `leave it out, or write "${portName}"`,
    });
  if (policy.minReplicas < api.minimum)
    issues.push({
      place: `${place}.minReplicas`,
      problem: `is below what the API takes, which is ${String(api.minimum)} (minimum)`,
      mend: "write as much, or lower minimum where the API takes fewer after all",
    });
  const routed = routeKeyOf(policy);
  if (routed !== undefined && api.targets === undefined)
    issues.push({
      place: `${place}.${routed}`,
      problem: "routes requests to a resource that has no targets",
      mend: "say where its instances take requests (targets), or leave the route out",
    });
  return issues;
}

function routeKeyOf(policy: Policy): string | undefined {
  if (policy.hosts.length > 0) return "hosts";
  if (policy.listen.length > 0) return "listen";
  if (policy.pathPrefix !== undefined) return "pathPrefix";
  return Object.keys(policy.headers).length > 0 ? "headers" : undefined;
}
