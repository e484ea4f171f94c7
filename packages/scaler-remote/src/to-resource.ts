import {
  isConfigError,
  type LocalRef,
  parsePolicy,
  parsePolicyLabels,
  type Policy,
  type Resource,
} from "@dormouse/core";
import type { z } from "zod";
import { type RemoteCapabilities, refSchema, resourceSchema } from "./protocol.ts";
import { describeIssue, toFailure, toLieError } from "./remote-error.ts";

/** A resource as the remote told it. */
type WireResource = z.output<typeof resourceSchema>;

/** By what a remote's resources are read. */
export interface ResourceReading {
  readonly defaults: Policy;
  readonly labelPrefix: string;
  readonly capabilities: RemoteCapabilities;
}

/**
 * A list, one resource by the other: what is wrong with one is its refusal, and the others go on. One that does not even
 * say its ref makes the whole list unusable, since a resource that is left out would count as gone.
 */
export function toResources(entries: readonly unknown[], reading: ResourceReading, call: string): readonly Resource[] {
  const listed = new Map<string, Resource>();
  for (const [index, entry] of entries.entries()) {
    const resource = toListedResource(entry, reading, call, `resources[${index}]`);
    const key = `${resource.ref.namespace}/${resource.ref.name}`;
    listed.set(key, listed.has(key) ? refused(resource.ref, `the list has ${key} twice`, reading) : resource);
  }
  return [...listed.values()];
}

/** One entry of a list or a watch. Where its facts cannot be read it is refused, and counts as wanted: nothing stops it. */
export function toListedResource(entry: unknown, reading: ResourceReading, call: string, place: string): Resource {
  const parsed = resourceSchema.safeParse(entry);
  if (parsed.success) return toResource(parsed.data, reading);
  const ref = refSchema.safeParse(typeof entry === "object" && entry !== null ? Reflect.get(entry, "ref") : undefined);
  if (!ref.success) throw toLieError(call, `${place}.ref: ${describeIssue(ref.error)}`);
  return refused(ref.data, `${call} tells it outside the protocol: ${describeIssue(parsed.error)}`, reading);
}

/** A resource whose facts can be read. */
export function toResource(wire: WireResource, reading: ResourceReading): Resource {
  const { failure, routedTo } = wire;
  const { policy, refusal } = policyOf(wire, reading);
  const { ref, desired, ready, wakeReplicas, version, createdAt, updatedAt } = wire;
  return {
    ref,
    desired,
    ready,
    wakeReplicas,
    version,
    ...(failure !== null && failure !== undefined && { failure: toFailure(failure) }),
    ...(refusal !== undefined && { refusal }),
    ...(reading.capabilities.routing && routedTo !== null && routedTo !== undefined && { routedTo }),
    ports: wire.ports.map(({ name, number, protocol, listen }) => ({
      name,
      number,
      protocol: protocol ?? "http",
      ...(reading.capabilities.routing && typeof listen === "string" && { listen }),
    })),
    policy,
    createdAt,
    updatedAt,
  };
}

function policyOf(wire: WireResource, reading: ResourceReading): Pick<Resource, "policy" | "refusal"> {
  const { refusal } = wire;
  const disabled = { ...reading.defaults, enabled: false };
  if (refusal !== null && refusal !== undefined) return { policy: disabled, refusal: toFailure(refusal) };
  const contradiction = contradictionOf(wire, reading.capabilities);
  if (contradiction !== undefined)
    return { policy: disabled, refusal: { code: "SCALER_INTERNAL", message: contradiction } };
  try {
    return { policy: parseOwnPolicy(wire, reading) };
  } catch (error) {
    if (!isConfigError(error)) throw error;
    return { policy: disabled, refusal: { code: "SCALER_BAD_OPTIONS", message: error.message } };
  }
}

/** What says opt-in by labels is enabled by a label; what says nothing or a policy is the remote's own choice to list. */
function parseOwnPolicy({ policy, labels }: WireResource, { defaults, labelPrefix }: ResourceReading): Policy {
  if (labels !== null && labels !== undefined)
    return parsePolicyLabels(labels, labelPrefix, { ...defaults, enabled: false }, "labels");
  return parsePolicy(policy ?? {}, { ...defaults, enabled: true }, "policy");
}

function contradictionOf(wire: WireResource, { replicas }: RemoteCapabilities): string | undefined {
  const { desired, wakeReplicas, policy, labels, ports } = wire;
  if (replicas === "one" && (desired > 1 || wakeReplicas > 1))
    return `the remote says that it scales to 1 at most, and has desired ${desired} and wakeReplicas ${wakeReplicas} here`;
  if (policy !== null && policy !== undefined && labels !== null && labels !== undefined)
    return "it has both policy and labels; leave one out";
  const names = ports.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  return twice === undefined ? undefined : `it has two ports of the name ${JSON.stringify(twice)}`;
}

function refused(ref: LocalRef, message: string, { defaults }: ResourceReading): Resource {
  return {
    ref,
    desired: 1,
    ready: 0,
    wakeReplicas: 1,
    version: "unreadable",
    refusal: { code: "SCALER_INTERNAL", message },
    ports: [],
    policy: { ...defaults, enabled: false },
    createdAt: 0,
    updatedAt: 0,
  };
}
