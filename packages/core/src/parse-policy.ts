import { ConfigError } from "./config-error.ts";
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
  return mergePolicy(parsed.data, defaults);
}

/** A parsed policy over the defaults; a key that is undefined says nothing. */
export function mergePolicy(own: PartialPolicy, defaults: Policy): Policy {
  return { ...defaults, ...Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined)) };
}
