import {
  backoffMs,
  type Clock,
  formatDuration,
  isScalerError,
  type LocalRef,
  type Logger,
  type Milliseconds,
  type Policy,
  ScalerError,
  toScalerError,
} from "@dormouse/core";
import PQueue from "p-queue";
import type { ServiceObject } from "./objects.ts";
import type { PortBook } from "./port-book.ts";
import { readRoute } from "./route-record.ts";
import type { RouteApi } from "./route-api.ts";
import { isReady } from "./pod.ts";
import { epochOf } from "./version.ts";
import type { WatchedCluster } from "./watched-cluster.ts";
import type { WorkloadApi } from "./workload-api.ts";
import { factsOf, type WorkloadFacts } from "./workload-facts.ts";
import { lingerMs } from "./workload-keeper.ts";
import { refOf, type Workload } from "./workload.ts";

/** Workloads that are handed back at once. */
const concurrency = 8;

/** How long one workload's pods are waited for; then its traffic goes back to it all the same. */
const readyWithinMs: Milliseconds = 300_000;

/** A host that was in the middle of something may write once more: looked at again so often. */
const rounds = 3;

/** What a release works with. */
export interface ReleaseParts {
  readonly watched: WatchedCluster;
  readonly routes: RouteApi;
  readonly api: WorkloadApi;
  readonly book: PortBook;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly defaults: Policy;
}

/** What one round works with, and what it has found. */
interface Round extends ReleaseParts {
  /**
   * Uids of workloads that take no write, for they are gone or their namespace is: an API server that died while a
   * namespace went can go on listing what was in it.
   */
  readonly gone: Set<string>;
}

/**
 * Hands every workload back: first it is written down that nothing is managed any more, so that no host begins anew;
 * then each is woken, gets its traffic, and loses all that Dormouse wrote on it.
 *
 * @throws ScalerError that names the workloads for which that did not work
 */
export async function releaseAll(parts: ReleaseParts, signal: AbortSignal | undefined): Promise<void> {
  const { watched, book, clock, logger } = parts;
  await book.setReleased(clock.now(), signal);
  const gone = new Set<string>();
  const leftovers = (): readonly WorkloadFacts[] =>
    watched
      .workloads()
      .map((workload) => factsOf(workload, watched, parts.defaults))
      .filter(({ hasLeftovers }) => hasLeftovers);
  let failures: readonly string[] = [];
  for (let round = 0; round < rounds && leftovers().length > 0; round += 1) {
    gone.clear();
    failures = await releaseEach(leftovers(), { ...parts, gone }, signal);
    await clock.sleep(1_000, signal);
  }
  const namesOf = (isGone: boolean): readonly string[] =>
    leftovers().flatMap(({ workload }) =>
      gone.has(workload.metadata.uid) === isGone ? [nameOf(refOf(workload))] : [],
    );
  const leftOut = namesOf(true);
  if (leftOut.length > 0)
    logger.warn(
      { resources: leftOut.slice(0, 20) },
      "listed, and yet gone with their namespaces: nothing to hand back",
    );
  const left = namesOf(false);
  if (left.length === 0) return;
  const problems =
    failures.length > 0 ? failures : left.map((name) => `${name}: somebody writes on it again and again`);
  throw new ScalerError("SCALER_UNAVAILABLE", `could not be handed back: ${problems.slice(0, 20).join("; ")}`);
}

/** One that has its traffic again and still has what Dormouse wrote on it. */
interface HandedBack {
  readonly ref: LocalRef;
  readonly service: ServiceObject | undefined;
  readonly workload: Workload;
  /** The DLXs had its traffic. */
  readonly wasAway: boolean;
}

/** The DLXs listen for what is handed back for a while: nodes learn of it later, and send to the DLXs until then. */
async function releaseEach(
  all: readonly WorkloadFacts[],
  round: Round,
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  const { clock, routes, api, logger } = round;
  const failures: string[] = [];
  const handed: HandedBack[] = [];
  const attempt = async (ref: LocalRef, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      signal?.throwIfAborted();
      const { code, message } = toScalerError(error);
      failures.push(`${nameOf(ref)}: ${code}: ${message}`);
    }
  };
  const handBackOne = (facts: WorkloadFacts) => async (): Promise<void> =>
    attempt(refOf(facts.workload), async () => {
      const one = await handBack(facts, round, signal);
      if (one !== undefined) handed.push(one);
    });
  await new PQueue({ concurrency }).addAll(all.map(handBackOne));
  if (handed.some(({ wasAway }) => wasAway)) await clock.sleep(lingerMs, signal);
  const forgetOne =
    ({ ref, service, workload }: HandedBack) =>
    async (): Promise<void> =>
      attempt(ref, async () => {
        if (service !== undefined) await routes.forget(service, signal);
        await api.forget(workload, signal);
        logger.info({ resource: nameOf(ref) }, "handed back");
      });
  await new PQueue({ concurrency }).addAll(handed.map(forgetOne));
  return failures;
}

/** Wakes one and gives it its traffic; undefined where it is gone. */
async function handBack(
  { workload, plan, wakeReplicas }: WorkloadFacts,
  round: Round,
  signal: AbortSignal | undefined,
): Promise<HandedBack | undefined> {
  const { routes } = round;
  const ref = refOf(workload);
  const after = await wake(workload, wakeReplicas, round, signal);
  if (after === undefined) return undefined;
  const { service } = plan;
  if (service === undefined) return { ref, service, workload: after, wasAway: false };
  const record = { to: "resource", uid: after.metadata.uid, epoch: epochOf(after.metadata.annotations) } as const;
  const order = { service, ports: plan.ports, drains: plan.drains, wakeReplicas, record };
  const wasAway = readRoute(service.metadata)?.to === "dlx";
  if (wasAway) await whenReady(ref, after.spec.replicas ?? 1, round, signal);
  await routes.beginRestore(order, signal);
  await whenInTraffic(ref, service, round, signal);
  await routes.endRestore(order, signal);
  return { ref, service, workload: after, wasAway };
}

/**
 * Also one that is awake is written on: a sleep that somebody has begun finds another version then. Undefined where it
 * is gone.
 */
async function wake(
  workload: Workload,
  wakeReplicas: number,
  { api, gone }: Round,
  signal: AbortSignal | undefined,
): Promise<Workload | undefined> {
  const ref = refOf(workload);
  const desired = (await api.read(ref, signal))?.spec.replicas ?? 1;
  const scaled = await api.scale(ref, desired > 0 ? desired : wakeReplicas, { signal }).catch(undefinedIfGone);
  if (scaled === undefined) gone.add(workload.metadata.uid);
  return scaled?.after;
}

function undefinedIfGone(error: unknown): undefined {
  if (!isScalerError(error) || error.code !== "SCALER_NOT_FOUND") throw error;
}

/** As many pods as are wanted say that they are ready, or it is being deleted, or the time is over. */
async function whenReady(
  ref: LocalRef,
  desired: number,
  { watched, clock, logger }: ReleaseParts,
  signal: AbortSignal | undefined,
): Promise<void> {
  const startedAt = clock.monotonic();
  for (let tries = 0; clock.monotonic() - startedAt < readyWithinMs; tries += 1) {
    const workload = watched.workload(ref);
    if (workload === undefined || workload.metadata.deletionTimestamp !== undefined) return;
    if (watched.podsOf(workload).filter(isReady).length >= desired) return;
    await clock.sleep(backoffMs(tries, { firstMs: 50, longestMs: 1_000 }), signal);
  }
  logger.warn(
    { resource: nameOf(ref) },
    `not ready within ${formatDuration(readyWithinMs)}; its traffic goes back to it all the same`,
  );
}

/** At least one of its pods is in the Service's own slices, so that nothing is refused when the DLXs leave. */
async function whenInTraffic(
  ref: LocalRef,
  service: ServiceObject,
  { routes, clock, logger }: ReleaseParts,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (let tries = 0; tries < 30; tries += 1) {
    const pods = await routes.podsInTraffic(service, signal).catch((error: unknown) => {
      if (isScalerError(error) && error.retryable) return new Set<string>();
      throw error;
    });
    if (pods.size > 0) return;
    await clock.sleep(backoffMs(tries, { firstMs: 50, longestMs: 500 }), signal);
  }
  logger.warn({ resource: nameOf(ref) }, "none of its pods came into the traffic");
}

function nameOf({ namespace, name }: LocalRef): string {
  return `${namespace}/${name}`;
}
