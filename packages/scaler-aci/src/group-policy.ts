import { isConfigError, parsePolicyLabels, type Policy, type ResourceFailure } from "@dormouse/core";
import type { GroupFacts } from "./group-facts.ts";

const prefix = "dormouse-";

/** What a group's tags say. */
export interface GroupPolicy {
  readonly policy: Policy;
  /** Why the group is left alone. */
  readonly refusal?: ResourceFailure;
}

/**
 * What tags say of a group; undefined where it is none of ours: without a tag of ours, or not enabled. A group with a tag
 * that is wrong is one of ours, since only so somebody is told of the mistake.
 *
 * @param place names the group in messages
 */
export function readGroupPolicy(
  { tags, ports }: Pick<GroupFacts, "tags" | "ports">,
  defaults: Policy,
  place: string,
): GroupPolicy | undefined {
  if (!Object.keys(tags).some((name) => name.toLowerCase().startsWith(prefix))) return undefined;
  const off: Policy = { ...defaults, enabled: false };
  try {
    const policy = parsePolicyLabels(tags, prefix, off, place);
    if (!policy.enabled) return undefined;
    const problem = portProblem(policy, ports);
    return problem === undefined ? { policy } : { policy: { ...policy, enabled: false }, refusal: refusal(problem) };
  } catch (error) {
    if (!isConfigError(error)) throw error;
    return { policy: off, refusal: refusal(error.message) };
  }
}

function portProblem({ port }: Policy, ports: GroupFacts["ports"]): string | undefined {
  if (ports.length === 0) return "it has no address with a TCP port: give it ipAddress.ports";
  if (port === undefined || ports.some(({ name }) => name === port)) return undefined;
  return `dormouse-port: is "${port}", and its address has ${ports.map(({ name }) => name).join(", ")}`;
}

function refusal(message: string): ResourceFailure {
  return { code: "SCALER_BAD_OPTIONS", message };
}
