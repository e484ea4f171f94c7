import { ConfigError, type ConfigIssue } from "./config-error.ts";
import { formatPlace } from "./format-place.ts";
import { type PartialPolicy, type Policy, policySchema } from "./policy.ts";
import { toConfigIssues } from "./to-config-issues.ts";

/**
 * A resource's whole policy: what it says itself, over the defaults, key by key; a nested key such as `neverWake`
 * replaces the default's as a whole.
 *
 * @param raw what the resource says, as configuration writes it (durations as text); undefined: nothing
 * @param place where it stands; places of issues are `${place}.idleAfter`
 * @throws ConfigError that names every wrong key and value
 */
export function parsePolicy(raw: unknown, defaults: Policy, place: string): Policy {
  const parsed = policySchema.safeParse(raw ?? {});
  if (!parsed.success) {
    throw new ConfigError(toConfigIssues(parsed.error.issues, { schema: policySchema, written: raw, place }));
  }
  const policy = mergePolicy(parsed.data, defaults);
  assertPolicyMeaning(policy, (path) => formatPlace(place, path));
  return policy;
}

/**
 * What is wrong with a whole policy though each key by itself is right.
 * @param toPlace how a key's place is written
 */
export function policyIssues(
  { minReplicas, maxReplicas }: Pick<Policy, "minReplicas" | "maxReplicas">,
  toPlace: (path: readonly PropertyKey[]) => string,
): ConfigIssue[] {
  if (maxReplicas >= minReplicas) return [];
  const problem = `is ${maxReplicas}, less than minReplicas, which is ${minReplicas}`;
  return [{ place: toPlace(["maxReplicas"]), problem, mend: "raise it, or lower minReplicas" }];
}

/** @throws ConfigError with what `policyIssues` finds */
export function assertPolicyMeaning(policy: Policy, toPlace: (path: readonly PropertyKey[]) => string): void {
  const issues = policyIssues(policy, toPlace);
  if (issues.length > 0) throw new ConfigError(issues);
}

/** A parsed policy over the defaults; a key that is undefined says nothing. */
export function mergePolicy(own: PartialPolicy, defaults: Policy): Policy {
  return { ...defaults, ...Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined)) };
}
