import { isConfigError, parsePolicyLabels, type Policy, type ResourceFailure } from "@dormouse/core";
import { findService, type Neighbours } from "./find-service.ts";
import { ownAnnotations, prefix, workloadAnnotations } from "./names.ts";
import type { ServiceObject } from "./objects.ts";
import { type FoundPorts, otherPorts, portsOfContainers, portsOfService, type RoutedPort } from "./ports-of.ts";
import { asksToBeManaged, refOf, type Workload } from "./workload.ts";

/** What is to be done with a workload, as far as what is written about it goes. */
export interface WorkloadPlan {
  /** Not enabled where the workload does not ask to be managed, or is refused. */
  readonly policy: Policy;
  /** The Service whose traffic is diverted; none: the workload is reached by the DLX's own hosts and listeners only. */
  readonly service?: ServiceObject;
  readonly ports: readonly RoutedPort[];
  /** Whether a diverted Service's selector gets the extra key. */
  readonly drains: boolean;
  /** Why it is left alone. */
  readonly refusal?: ResourceFailure;
}

/** What a plan rests on besides the workload itself. */
export interface PlanSurroundings extends Neighbours {
  readonly defaults: Policy;
  /** Name of the KEDA ScaledObject that scales the workload already. */
  readonly scaledObject?: string;
}

/** Reads a workload's annotations and finds its Service and ports. Never throws: what is wrong is the plan's refusal. */
export function planWorkload(workload: Workload, surroundings: PlanSurroundings): WorkloadPlan {
  const { defaults, scaledObject } = surroundings;
  const found = findService(workload, surroundings);
  const { service } = found;
  const ports = service === undefined ? portsOfContainers(workload) : portsOfService(service, workload);
  const parts = { ports: ports.ports, ...(service !== undefined && { service }) };
  const unmanaged = { ...parts, policy: { ...defaults, enabled: false }, drains: true };
  if (!asksToBeManaged(workload)) return unmanaged;
  const read = readPolicy(workload, defaults);
  if ("problem" in read) return { ...unmanaged, refusal: refusal(read.problem) };
  const { policy, drains } = read;
  const problem =
    (scaledObject === undefined
      ? undefined
      : `the KEDA ScaledObject ${scaledObject} scales it already; remove one of the two`) ??
    (found.kind === "refused" ? found.problem : undefined) ??
    (found.kind === "none" && !hasEntrance(policy) ? found.problem : undefined) ??
    problemOfPorts(ports, policy) ??
    problemOfOthers(service, ports, policy) ??
    (!drains && policy.routing !== "direct" ? needsKey : undefined);
  return problem === undefined
    ? { ...parts, policy: { ...policy, enabled: true, ...(service === undefined && { routing: "always" }) }, drains }
    : { ...unmanaged, drains, refusal: refusal(problem) };
}

const needsKey = `${workloadAnnotations.drain}: none needs ${prefix}routing: direct: else the Service would go on sending traffic past the DLX, unseen; add it, or remove this`;

interface ReadPolicy {
  readonly policy: Policy;
  readonly drains: boolean;
}

function readPolicy(workload: Workload, defaults: Policy): ReadPolicy | { readonly problem: string } {
  const annotations = workload.metadata.annotations ?? {};
  const place = `${workload.kind} ${workload.metadata.namespace}/${refOf(workload).name}`;
  const drain = (annotations[workloadAnnotations.drain] ?? "selector").trim();
  if (drain !== "selector" && drain !== "none")
    return { problem: `${workloadAnnotations.drain}: ${JSON.stringify(drain)} is neither "selector" nor "none"` };
  try {
    return {
      policy: parsePolicyLabels(annotations, prefix, defaults, place, { own: ownAnnotations }),
      drains: drain === "selector",
    };
  } catch (error) {
    if (!isConfigError(error)) throw error;
    const lines = error.issues.map(
      ({ place: where, problem, mend }) => `${where} ${problem}${mend === undefined ? "" : `; ${mend}`}`,
    );
    return { problem: lines.join("; ") };
  }
}

function problemOfPorts(found: FoundPorts, { port }: Policy): string | undefined {
  if (found.problem !== undefined) return found.problem;
  const names = found.ports.map((each) => each.port.name);
  if (port === undefined || names.includes(port)) return undefined;
  return `${prefix}port: there is no port ${JSON.stringify(port)}; it has ${names.slice(0, 10).join(", ")}`;
}

/** Diverted, a Service leads to DLXs only, and they take HTTP/1.1. */
function problemOfOthers(
  service: ServiceObject | undefined,
  { ports }: FoundPorts,
  { routing }: Policy,
): string | undefined {
  if (service === undefined) return undefined;
  const { name } = service.metadata;
  const others = otherPorts(service);
  if (ports.every(({ port }) => port.protocol !== "http"))
    return `Service ${name} has no port that takes HTTP/1.1, only ${others.slice(0, 5).join(", ")}: nothing could wake it`;
  if (others.length === 0 || routing === "direct") return undefined;
  return `Service ${name} has ports that a DLX cannot serve: ${others.slice(0, 5).join(", ")}; move them to a Service of their own, with dormouse.dev/service here, or set ${prefix}routing: direct, with which they fail only while it sleeps`;
}

/** Requests can come by the DLX's own listeners. */
function hasEntrance({ hosts, listen, pathPrefix, headers }: Policy): boolean {
  return hosts.length > 0 || listen.length > 0 || pathPrefix !== undefined || Object.keys(headers).length > 0;
}

function refusal(message: string): ResourceFailure {
  return { code: "SCALER_BAD_OPTIONS", message: message.slice(0, 1_000) };
}
