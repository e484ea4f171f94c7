import { createHash } from "node:crypto";
import { isIP } from "node:net";
import type { HttpProbe, ResourceFailure, ResourcePort } from "@dormouse/core";
import { z } from "zod";
import { toGroupFailure, toWaitingFailure } from "./aci-error.ts";

/*
 * What one answer says of a container group. Answers are read leniently: a member that is missing or of another form is
 * taken for not known, and nothing that is not known is ever taken for stopped.
 */

const anything = z.unknown().optional();
const optionalText = z.string().optional().catch(undefined);
const optionalNumber = z.number().optional().catch(undefined);
const instant = z
  .union([z.date(), z.string()])
  .transform((value) =>
    typeof value === "string" ? value : Number.isNaN(value.getTime()) ? undefined : value.toISOString(),
  )
  .optional()
  .catch(undefined);

const portSchema = z.object({ port: z.int().min(1).max(65_535), protocol: optionalText });
const portsSchema = z.array(portSchema.optional().catch(undefined)).optional().catch(undefined);

const stateSchema = z
  .object({ state: optionalText, startTime: instant, exitCode: optionalNumber, detailStatus: optionalText })
  .optional()
  .catch(undefined);

const probeSchema = z
  .object({ httpGet: z.object({ path: optionalText, port: z.int().min(1).max(65_535), scheme: optionalText }) })
  .optional()
  .catch(undefined);

const eventSchema = z
  .object({ name: optionalText, message: optionalText, type: optionalText })
  .optional()
  .catch(undefined);
const eventsSchema = z.array(eventSchema).optional().catch(undefined);

const containerSchema = z.object({
  name: z.string().catch("?"),
  image: anything,
  command: anything,
  environmentVariables: anything,
  resources: anything,
  volumeMounts: anything,
  livenessProbe: anything,
  readinessProbe: anything,
  ports: portsSchema,
  instanceView: z
    .object({
      restartCount: optionalNumber,
      currentState: stateSchema,
      previousState: stateSchema,
      events: eventsSchema,
    })
    .optional()
    .catch(undefined),
});

const groupSchema = z.object({
  location: anything,
  tags: z.record(z.string(), z.string().catch("")).optional().catch(undefined),
  sku: anything,
  osType: anything,
  restartPolicy: optionalText,
  volumes: anything,
  initContainers: anything,
  imageRegistryCredentials: anything,
  subnetIds: anything,
  dnsConfig: anything,
  provisioningState: optionalText,
  instanceView: z.object({ state: optionalText, events: eventsSchema }).optional().catch(undefined),
  ipAddress: z
    .object({ ip: optionalText, type: optionalText, dnsNameLabel: optionalText, ports: portsSchema })
    .optional()
    .catch(undefined),
  containers: z.array(containerSchema.optional().catch(undefined)).optional().catch(undefined),
});

type GroupAnswer = z.output<typeof groupSchema>;
type ContainerAnswer = z.output<typeof containerSchema>;

/**
 * Whether a group is there to run: `up` runs or is on its way, `stopped` was stopped by somebody, `ended` has run to an
 * end by itself, `unknown` does not say.
 */
type Presence = "up" | "stopped" | "ended" | "unknown";

/** One answer about one group. */
export interface GroupFacts {
  readonly tags: Readonly<Record<string, string>>;
  readonly presence: Presence;
  /** The group's and the last operation's state, as Azure names them. */
  readonly shown: string;
  /** It runs, and no operation is under way. */
  readonly isSettled: boolean;
  /** An operation is under way. */
  readonly isMoving: boolean;
  /** TCP ports of its address. */
  readonly ports: readonly ResourcePort[];
  /** An address that can be dialled. */
  readonly address: string | undefined;
  /** Names the present run of the container behind a port; undefined where it is not told. */
  readonly runOf: (port: number) => string | undefined;
  /** Whether the container behind a port runs; undefined where it is not told. */
  readonly runsAt: (port: number) => boolean | undefined;
  readonly probeOf: (port: number) => HttpProbe | undefined;
  /** Why it does not run, as far as the group itself tells. */
  readonly failure: ResourceFailure | undefined;
  /** Hash of everything that somebody has written about the group. */
  readonly specification: string;
}

/** Operations that change a group and have not ended. */
const moving: readonly string[] = [
  "pending",
  "creating",
  "updating",
  "repairing",
  "accepted",
  "preprovisioned",
  "deleting",
];

/** What a group answer says; undefined where it is no group at all. */
export function readGroupFacts(answer: unknown): GroupFacts | undefined {
  const parsed = groupSchema.safeParse(answer);
  if (!parsed.success || typeof answer !== "object" || answer === null || Array.isArray(answer)) return undefined;
  const group = parsed.data;
  const provisioning = group.provisioningState?.toLowerCase();
  const state = group.instanceView?.state?.toLowerCase();
  const isMoving = provisioning !== undefined && moving.includes(provisioning);
  const containers = (group.containers ?? []).filter((each) => each !== undefined);
  const at = (port: number): ContainerAnswer | undefined => containerAt(containers, port);
  const presence = presenceOf(state, provisioning, isMoving);
  return {
    tags: group.tags ?? {},
    presence,
    shown: `${group.instanceView?.state ?? "no state"}, ${group.provisioningState ?? "no provisioning state"}`,
    isSettled: state === "running" && provisioning === "succeeded",
    isMoving,
    ports: portsOf(group),
    address: dialable(group.ipAddress?.ip),
    runOf: (port) => runOf(at(port)),
    runsAt: (port) => runs(at(port)),
    probeOf: (port) => probeOf(at(port)),
    failure: failureOf(group, containers, { presence, provisioning }),
    specification: specificationOf(group, containers),
  };
}

function presenceOf(state: string | undefined, provisioning: string | undefined, isMoving: boolean): Presence {
  if (isMoving) return "up";
  if (provisioning === undefined) return "unknown";
  switch (state) {
    case "stopped":
      return "stopped";
    case "succeeded":
    case "failed":
    case "terminated":
      return "ended";
    case undefined:
      return "unknown";
    default:
      return "up";
  }
}

function portsOf({ ipAddress }: GroupAnswer): readonly ResourcePort[] {
  const ports = (ipAddress?.ports ?? []).filter((each) => each !== undefined);
  const tcp = ports.filter(({ protocol }) => (protocol ?? "TCP").toUpperCase() === "TCP");
  const numbers = new Set(tcp.map(({ port }) => port));
  return [...numbers].map((number) => ({ name: String(number), number, protocol: "http" }));
}

/** A group in a network of its own has had 0.0.0.0 until its start was done. */
function dialable(ip: string | undefined): string | undefined {
  if (ip === undefined || isIP(ip) === 0) return undefined;
  return /^(0\.0\.0\.0|[0:]+)$/.test(ip) ? undefined : ip;
}

function containerAt(containers: readonly ContainerAnswer[], port: number): ContainerAnswer | undefined {
  const listens = (container: ContainerAnswer): boolean =>
    container.ports?.some((each) => each?.port === port) === true;
  return containers.find(listens) ?? (containers.length === 1 ? containers[0] : undefined);
}

/** A container that was started anew has another time; one without a time cannot be told apart. */
function runOf(container: ContainerAnswer | undefined): string | undefined {
  const view = container?.instanceView;
  const startTime = view?.currentState?.startTime;
  return startTime === undefined ? undefined : `${startTime}.${view?.restartCount ?? 0}`;
}

function runs(container: ContainerAnswer | undefined): boolean | undefined {
  const state = container?.instanceView?.currentState?.state?.toLowerCase();
  return state === undefined ? undefined : state === "running";
}

/** The DLX probes without TLS. */
function probeOf(container: ContainerAnswer | undefined): HttpProbe | undefined {
  const { httpGet } = probeSchema.parse(container?.readinessProbe) ?? {};
  if (httpGet === undefined || (httpGet.scheme ?? "http").toLowerCase() !== "http") return undefined;
  const path = httpGet.path ?? "/";
  return { path: path.startsWith("/") ? path : `/${path}`, port: httpGet.port };
}

function failureOf(
  { instanceView }: GroupAnswer,
  containers: readonly ContainerAnswer[],
  { presence, provisioning }: { readonly presence: Presence; readonly provisioning: string | undefined },
): ResourceFailure | undefined {
  for (const { name, instanceView: view } of containers) {
    const { state, detailStatus } = view?.currentState ?? {};
    const isWaiting = state?.toLowerCase() === "waiting";
    const failure = isWaiting
      ? toWaitingFailure(name, `${detailStatus ?? ""}${lastExit(view?.previousState)}`)
      : undefined;
    if (failure !== undefined) return failure;
  }
  if (presence === "ended") return toGroupFailure(`the group has ended: ${endsOf(containers)}`);
  if (provisioning !== "failed") return undefined;
  const warned = [...(instanceView?.events ?? []), ...containers.flatMap((each) => each.instanceView?.events ?? [])];
  const words = warned.findLast((event) => event?.type?.toLowerCase() === "warning")?.message;
  return toGroupFailure(words ?? "the last operation on the group has failed, and gives no reason");
}

function lastExit(state: z.output<typeof stateSchema>): string {
  return state?.exitCode === undefined ? "" : ` (last exit code ${state.exitCode})`;
}

function endsOf(containers: readonly ContainerAnswer[]): string {
  const ends = containers.map(({ name, instanceView }) => {
    const { exitCode, detailStatus } = instanceView?.currentState ?? {};
    return `container ${name} with exit code ${exitCode ?? "unknown"}${detailStatus === undefined ? "" : ` (${detailStatus})`}`;
  });
  return ends.length === 0 ? "no container is told of" : ends.join(", ");
}

/** Status is left out, so that a start, a crash or a new address changes nothing here. */
function specificationOf(group: GroupAnswer, containers: readonly ContainerAnswer[]): string {
  const {
    provisioningState: _provisioning,
    instanceView: _view,
    ipAddress,
    containers: _containers,
    ...written
  } = group;
  const { ip: _ip, ...address } = ipAddress ?? { ip: undefined };
  const images = containers.map(({ instanceView: _state, ...container }) => container);
  return createHash("sha256")
    .update(canonical({ ...written, address, images }))
    .digest("base64url");
}

/** JSON in which the order of keys says nothing. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
