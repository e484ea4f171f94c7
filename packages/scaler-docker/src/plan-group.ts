import { isConfigError, parsePolicyLabels, type Policy, type ResourceFailure, type ResourcePort } from "@dormouse/core";
import { type ContainerGroup, keyOf } from "./container-group.ts";
import { toRefusal } from "./docker-error.ts";
import { type Labels, ownLabelNames, prefix, userLabels } from "./docker-labels.ts";
import { type DockerOptions, type SleepBy, sleepWays } from "./docker-options.ts";

/** What is to be done with a resource, as far as its labels go. */
export interface GroupPlan {
  /** Not enabled where it does not ask to be managed, or is refused. */
  readonly policy: Policy;
  readonly sleepBy: SleepBy;
  /** Network whose addresses are dialled; undefined: the first. */
  readonly network: string | undefined;
  /** At least one. */
  readonly ports: readonly ResourcePort[];
  /** Why it is left alone. */
  readonly refusal?: ResourceFailure;
}

/** What a plan rests on besides the containers. */
export interface PlanDefaults extends Pick<DockerOptions, "sleepBy" | "network"> {
  readonly policy: Policy;
}

const protocols: readonly ResourcePort["protocol"][] = ["http", "h2c", "tcp"];

/** Reads the labels of a resource. Never throws: what is wrong is the plan's refusal. */
export function planGroup(group: ContainerGroup, defaults: PlanDefaults): GroupPlan {
  const { labels } = group;
  const read = readPolicy(labels, defaults.policy, `container ${keyOf(group.ref)}`);
  const policy = "problem" in read ? { ...defaults.policy, enabled: false } : read;
  const sleepBy = sleepWays.find((way) => way === labels[userLabels.sleepBy]) ?? defaults.sleepBy;
  const protocol = protocols.find((each) => each === labels[userLabels.protocol]) ?? "http";
  const ports = portsOf(group, policy.port, protocol);
  const plan = { policy, sleepBy, network: labels[userLabels.network] ?? defaults.network };
  const asksForIt = policy.enabled || "problem" in read;
  const problem =
    "problem" in read ? read.problem : (problemOfLabels(labels) ?? problemOfGroup(group, sleepBy, ports, read.port));
  const refusal = group.problem ?? (problem === undefined ? undefined : toRefusal(problem));
  const known = ports.length > 0 ? ports : [unknownPort];
  if (!asksForIt || refusal === undefined) return { ...plan, ports: known };
  return { ...plan, ports: known, policy: { ...policy, enabled: false }, refusal };
}

/** Stands for the port of a resource that is refused, since every resource has one. */
const unknownPort: ResourcePort = { name: "80", number: 80, protocol: "http" };

function readPolicy(labels: Labels, defaults: Policy, place: string): Policy | { readonly problem: string } {
  try {
    return parsePolicyLabels(labels, prefix, { ...defaults, enabled: false }, place, { own: ownLabelNames });
  } catch (error) {
    if (!isConfigError(error)) throw error;
    const lines = error.issues.map(
      ({ place: where, problem, mend }) => `${where} ${problem}${mend === undefined ? "" : `; ${mend}`}`,
    );
    return { problem: lines.join("; ") };
  }
}

function problemOfLabels(labels: Labels): string | undefined {
  const { [userLabels.sleepBy]: way, [userLabels.protocol]: protocol } = labels;
  if (way !== undefined && !sleepWays.some((each) => each === way)) {
    return `${userLabels.sleepBy}: ${JSON.stringify(way)} is none of ${sleepWays.join(", ")}`;
  }
  if (protocol !== undefined && !protocols.some((each) => each === protocol)) {
    return `${userLabels.protocol}: ${JSON.stringify(protocol)} is none of ${protocols.join(", ")}`;
  }
  return undefined;
}

function problemOfGroup(
  { originals }: ContainerGroup,
  sleepBy: SleepBy,
  ports: readonly ResourcePort[],
  chosen: string | undefined,
): string | undefined {
  if (sleepBy !== "pause" && originals.some(({ HostConfig }) => HostConfig.AutoRemove === true)) {
    return `Docker removes it when it stops (--rm), so that nothing could wake it: leave --rm out, or write ${userLabels.sleepBy}: pause`;
  }
  if (chosen !== undefined && ports[0]?.name !== String(Number(chosen))) {
    return `${prefix}port: ${JSON.stringify(chosen)} is no port; write its number in the container, such as "8080"`;
  }
  if (ports.length > 0) return undefined;
  return `its image exposes no TCP port: add expose: ["8080"] or --expose 8080, or write ${prefix}port: "8080"`;
}

/** The exposed TCP ports, that of the policy first; it need not be exposed. */
function portsOf(
  { originals }: ContainerGroup,
  chosen: string | undefined,
  protocol: ResourcePort["protocol"],
): readonly ResourcePort[] {
  const exposed = Object.keys(originals[0]?.Config.ExposedPorts ?? {}).flatMap((port) => {
    const [, number] = /^(\d+)(?:\/tcp)?$/.exec(port) ?? [];
    return number === undefined ? [] : [Number(number)];
  });
  const first = chosen !== undefined && /^\d{1,5}$/.test(chosen) ? [Number(chosen)] : [];
  const numbers = new Set([...first, ...exposed.toSorted((one, other) => one - other)]);
  return [...numbers]
    .filter((number) => number >= 1 && number <= 65_535)
    .map((number) => ({ name: String(number), number, protocol }));
}
