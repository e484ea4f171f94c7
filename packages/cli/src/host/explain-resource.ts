import type { DecisionRecord } from "@dormouse/autoscaler";
import { type CatalogEntry, formatDuration, type Milliseconds, type Resource, type ScaleEvent } from "@dormouse/core";
import type { Dlx, DlxResourceStatus } from "@dormouse/dlx";
import type { NextChange, WhyReport } from "../admin/why-report.ts";
import { entrancesOf } from "./entrances-of.ts";

/** Everything that an explanation is made from, taken at one moment. */
export interface Explained {
  readonly entry: CatalogEntry;
  readonly traffic: DlxResourceStatus;
  readonly decision: DecisionRecord | undefined;
  readonly lastWake: ScaleEvent | undefined;
  readonly lastSleep: ScaleEvent | undefined;
  /** Time from one tick of the autoscaler to the next; undefined: another host decides. */
  readonly tickMs: Milliseconds | undefined;
  readonly warnings: readonly string[];
  /** Where the DLX listens. */
  readonly addresses: Dlx["addresses"];
  /** Epoch ms. */
  readonly now: number;
}

/** Why a resource is in its state and what comes next. Pure. */
export function explainResource(explained: Explained): WhyReport {
  const { entry, traffic, decision, lastWake, lastSleep, warnings } = explained;
  const { state, resource } = entry;
  const cause = causeOf(explained);
  const failure = state.kind === "failed" ? state.failure : resource.failure;
  return {
    ref: entry.key,
    state: state.kind,
    since: state.since,
    ...(cause !== undefined && { cause }),
    replicas: { desired: resource.desired, ready: resource.ready, onWake: resource.wakeReplicas },
    traffic: describeTraffic(traffic),
    routes: routesOf(resource),
    entrances: entrancesOf(entry.key, resource.policy, explained.addresses),
    ...nextOf(explained),
    ...(decision !== undefined && { decision }),
    ...(failure !== undefined && { failure }),
    ...(resource.refusal !== undefined && { refusal: resource.refusal }),
    ...(lastWake !== undefined && { lastWake }),
    ...(lastSleep !== undefined && { lastSleep }),
    warnings,
  };
}

function describeTraffic({
  held,
  inFlight,
  requests,
  idleForMs,
  lastActivityAt,
  targets,
}: DlxResourceStatus): WhyReport["traffic"] {
  return {
    held,
    inFlight,
    requests,
    idleForMs,
    ...(lastActivityAt !== undefined && { lastActivityAt }),
    targets: targets.length,
  };
}

/** How much a state may begin before the event that is its cause has been written down, and after. */
const causeSlackMs = 2_000;

/** The wake or sleep that brought it here. A state that began long after it has another cause, which this host did not see. */
function causeOf({ entry: { state, resource }, lastWake, lastSleep }: Explained): WhyReport["cause"] {
  const event = state.kind === "asleep" || state.kind === "sleeping" ? lastSleep : lastWake;
  if (event === undefined || (state.kind !== "failed" && event.outcome !== "done")) return undefined;
  const endsLate = state.kind === "asleep" ? resource.policy.drainTimeout + 60_000 : 0;
  const isCause =
    state.since - event.at <= causeSlackMs + endsLate && event.at - state.since <= (event.tookMs ?? 0) + causeSlackMs;
  return isCause ? { by: event.by, reason: event.reason, at: event.at } : undefined;
}

/** Hosts, paths and listeners that lead to a resource, each as one text. */
function routesOf({ policy, ports }: Resource): string[] {
  const { hosts, pathPrefix, headers, listen } = policy;
  const conditions = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  const suffix = `${pathPrefix ?? ""}${conditions.length === 0 ? "" : ` with ${conditions.join(", ")}`}`;
  const shared =
    hosts.length > 0 ? hosts.map((host) => `${host}${suffix}`) : suffix === "" ? [] : [`any host${suffix}`];
  const diverted = ports.flatMap((port) =>
    port.listen === undefined ? [] : [`listener ${port.listen} for its own port ${port.name}`],
  );
  return [...shared, ...listen.map((address) => `listener ${address}`), ...diverted];
}

type Next = Pick<WhyReport, "next" | "because">;

function nextOf(explained: Explained): Next {
  const { entry, traffic } = explained;
  switch (entry.state.kind) {
    case "asleep":
      return nextOfAsleep(traffic);
    case "failed":
      return nextOfFailed(explained);
    case "waking":
    case "sleeping":
      return nextOfRunning(explained);
    case "awake":
      return nextOfAwake(explained);
  }
}

function nextOfAsleep({ backoffLeftMs, wakeP95Ms, held }: DlxResourceStatus): Next {
  const next: NextChange = {
    kind: "wake-on-request",
    notBeforeMs: backoffLeftMs,
    ...(wakeP95Ms !== undefined && { typicalWakeMs: wakeP95Ms }),
  };
  return {
    next,
    because:
      held > 0
        ? [`${held} requests are held for it: a wake is about to start.`]
        : ["It is asleep, and nobody asks for it."],
  };
}

function nextOfFailed({ entry, traffic, decision }: Explained): Next {
  const failure = entry.state.kind === "failed" ? [`The platform says: ${entry.state.failure.message}`] : [];
  const retry: NextChange = { kind: "wake-on-request", notBeforeMs: traffic.backoffLeftMs };
  return { next: retry, because: [...failure, ...(decision === undefined ? [] : [decision.words])] };
}

function nextOfRunning({ entry, traffic, decision }: Explained): Next {
  const operation = entry.state.kind === "sleeping" ? "sleep" : "wake";
  const typical = operation === "wake" ? traffic.wakeP95Ms : undefined;
  const next: NextChange = { kind: "running", operation, ...(typical !== undefined && { typicalMs: typical }) };
  if (operation === "sleep") return { next, because: ["Its last replicas are ending."] };
  const held = traffic.held > 0 ? [`${traffic.held} requests are held until it is awake.`] : [];
  return {
    next,
    because: [
      ...held,
      ...(decision?.reason === "waking" ? [decision.words] : ["It has replicas that are not ready yet."]),
    ],
  };
}

/** Reasons that time alone ends. */
const timed = new Set(["observing", "recent-activity", "min-awake"]);

function nextOfAwake(explained: Explained): Next {
  const { entry, traffic, decision, tickMs, now } = explained;
  if (traffic.held + traffic.inFlight > 0) {
    const because = [`${traffic.inFlight} requests are in flight and ${traffic.held} are held.`];
    return { next: { kind: "stay", until: "they have to end, then it has to be idle" }, because };
  }
  if (entry.resource.refusal !== undefined) {
    const because = ["It is left alone: what is written about it is wrong, as said below."];
    return { next: { kind: "stay", until: "what is written about it has to be put right" }, because };
  }
  if (tickMs === undefined) {
    const because = ["Nobody asks for it here. The autoscaler, another process, decides when it sleeps."];
    return { next: { kind: "stay", until: "the autoscaler decides; ask that for more" }, because };
  }
  if (decision === undefined || decision.at < entry.state.since) {
    const because = ["The autoscaler has not looked at it since it is awake."];
    return { next: { kind: "stay", until: `the autoscaler looks every ${formatDuration(tickMs)}` }, because };
  }
  if (decision.decision === "sleep") return { next: { kind: "sleep", inMs: 0 }, because: [decision.words] };
  if (decision.nextCheckInMs === undefined || !timed.has(decision.reason)) {
    return { next: { kind: "stay", until: decision.next }, because: [decision.words] };
  }
  const byDecision = decision.nextCheckInMs - (now - decision.at);
  const byIdleness = entry.resource.policy.idleAfter - traffic.idleForMs;
  const leftMs = Math.max(0, byDecision, byIdleness);
  return { next: { kind: "sleep", inMs: Math.ceil(leftMs / tickMs) * tickMs }, because: [decision.words] };
}
