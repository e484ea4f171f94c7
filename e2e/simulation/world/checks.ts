import { formatRef, resolveDependency } from "@dormouse/core";
import type { Instance } from "../platform/instance.ts";
import { isOurs } from "../platform/is-ours.ts";
import type { SimulatedPlatform } from "../platform/simulated-platform.ts";
import type { Write } from "../platform/resource-options.ts";
import type { SimulatedResource } from "../platform/simulated-resource.ts";
import type { DlxProcess } from "../parts/dlx-process.ts";
import type { ClientRequest, Executed } from "./request-ledger.ts";

/** What must hold; docs/protocol.md says each in a sentence. */
export type Property = "P1" | "P2" | "P3" | "P4" | "P5" | "P6" | "P7" | "fault";

/** A property that did not hold. */
export interface Violation {
  readonly property: Property;
  readonly what: string;
  /** Virtual ms. */
  readonly at: number;
}

export type Violate = (property: Property, what: string) => void;

/** P2: our stop is accepted only while no DLX has a request of the resource with a target, and nobody that needs it is awake. */
export function checkStop(
  resource: SimulatedResource,
  { by, from, to }: Write,
  dlxs: readonly DlxProcess[],
  platform: SimulatedPlatform,
  violate: Violate,
): void {
  if (to !== 0 || from === 0 || !isOurs(by)) return;
  for (const { process, keeper } of dlxs) {
    const inFlight = keeper.opened(resource.key)?.book.inFlight ?? 0;
    if (!process.isDead && inFlight > 0)
      violate("P2", `${by} stopped ${resource.key} with ${String(inFlight)} requests in flight at ${process.name}`);
  }
  for (const user of platform.resources.values()) {
    if (user.desired > 0 && isOurs(user.raisedBy) && needs(user, resource))
      violate("P2", `${by} stopped ${resource.key} while ${user.key} needs it`);
  }
}

/** P2: with compare-and-set a write of ours never changes one count into another; a wake comes back to what the stop took away. */
export function checkCount(
  resource: SimulatedResource,
  { by, from, to }: Write,
  compareAndSet: boolean,
  violate: Violate,
): void {
  if (!isOurs(by) || !compareAndSet) return;
  if (from > 0 && to > 0 && from !== to)
    violate("P2", `${by} changed the count of ${resource.key} from ${String(from)} to ${String(to)}`);
  if (from === 0 && to > 0 && isOurs(resource.stoppedBy) && to !== resource.beforeStop)
    violate(
      "P2",
      `${by} woke ${resource.key} to ${String(to)}, before its sleep it had ${String(resource.beforeStop)}`,
    );
}

/** P2: nothing is forwarded to a resource while what it needs sleeps by our doing. */
export function checkNeeds(resource: SimulatedResource, platform: SimulatedPlatform, violate: Violate): void {
  for (const other of platform.resources.values()) {
    if (needs(resource, other) && other.desired === 0 && isOurs(other.stoppedBy) && isOurs(resource.raisedBy))
      violate(
        "P2",
        `a request went to ${resource.key} while ${other.key}, which it needs, was stopped by ${other.stoppedBy}`,
      );
  }
}

function needs(user: SimulatedResource, other: SimulatedResource): boolean {
  return user.policy.dependsOn.some((text) => formatRef(resolveDependency(text, user.ref)) === other.key);
}

/**
 * P2: an instance that we stopped had nothing to do. A client whose DLX died, or that left, waits for nothing any more.
 * What went straight to the resource before its traffic was diverted for good is seen by nobody where no rule looks for it:
 * a limit, which docs/guarantees.md names.
 */
export function checkCut(
  request: ClientRequest,
  instance: Instance,
  { policy, service }: SimulatedResource,
  cause: string,
  violate: Violate,
): void {
  if (!isOurs(cause) || request.ended || request.through?.isDead === true) return;
  if (request.through === undefined && isTampered(service, request.sentAt)) return;
  if (request.through === undefined && policy.idleRules.length === 0) return;
  violate("P2", `${request.id} was cut at ${instance.id} by the stop of ${cause}`);
}

/** P3: a request on the resource's own way meets somebody, unless it was not us who took everybody away. */
export function checkDark(resource: SimulatedResource, now: number, violate: Violate): void {
  if (isTampered(resource.service, now)) return;
  if (resource.desired === 0) {
    if (isOurs(resource.stoppedBy)) violate("P3", `${resource.key} sleeps, and its traffic still goes to it`);
  } else if (resource.restoredAt !== undefined && resource.disturbedAt < resource.restoredAt - longestOnItsWayMs) {
    violate("P3", `the traffic of ${resource.key} was sent back to it before it could take any`);
  }
}

/** Somebody had taken away what routes its traffic, and it was not put back everywhere yet: a limit. */
function isTampered(service: SimulatedResource["service"], at: number): boolean {
  return service !== undefined && at - service.tamperedAt < repairedWithinMs;
}

/** The keeper's look, and the way to all nodes. */
const repairedWithinMs = 3_000;

/** A restore that was right when it was sent may arrive so much later. */
const longestOnItsWayMs = 25_000;

/** P1: it ended once, in time, and honestly; after the faults: with an answer. */
export function checkEnding(request: ClientRequest, holdTimeout: number, violate: Violate): void {
  const { id, plan, endings, sentAt, endedAt, through } = request;
  if (endings.length === 0) return violate("P1", `${id} never ended`);
  if (endings.length > 1) violate("P1", `${id} ended ${String(endings.length)} times`);
  if (!request.isHonest) violate("P1", `${id} was refused with ${JSON.stringify(endings[0])}`);
  const restedMs = (through?.restedMs ?? 0) - request.restedBeforeMs;
  const mostMs = holdTimeout + 3 * plan.workMs + attemptsMs + restedMs;
  const tookMs = (endedAt ?? 0) - sentAt;
  if (tookMs > mostMs) violate("P1", `${id} took ${tookMs.toFixed(0)} ms, at most ${mostMs.toFixed(0)} were due`);
  if (request.isProbe && endings[0]?.kind !== "answered")
    violate("P3", `${id} was not answered after all faults had ended: ${JSON.stringify(endings[0])}`);
}

/** What attempts at targets may take besides the work: connections, broken ones, and a wait of the client's side. */
const attemptsMs = 12_000;

/** P6: executed once, or again by the replay rule: an idempotent request of which no answer came, its body kept, once. */
export function checkExecutions({ id, plan, executions }: ClientRequest, isBodyKept: boolean, violate: Violate): void {
  const mayRepeat = plan.method !== "POST" && (isBodyKept || plan.body === "none");
  const most = mayRepeat ? 2 : 1;
  if (executions.length > most) violate("P6", `${plan.method} ${id} was executed ${describe(executions)}`);
  for (const [index, { failure }] of executions.entries()) {
    if (index < executions.length - 1 && failure === undefined)
      violate("P6", `${id} was executed again although an answer came: ${describe(executions)}`);
  }
}

function describe(executions: readonly Executed[]): string {
  const places = executions.map(({ instance, at }) => `at ${instance} (${at.toFixed(0)} ms)`);
  return `${String(executions.length)} times: ${places.join(", ")}`;
}
