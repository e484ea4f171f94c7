import type { Clock, Logger, Milliseconds } from "@dormouse/core";
import { Fights } from "./fights.ts";
import { KeyKeeper } from "./key-keeper.ts";
import type { ServiceObject } from "./objects.ts";
import { isLiving, isReady } from "./pod.ts";
import type { RouteApi, RouteOrder } from "./route-api.ts";
import { readRoute, readWakeReplicas } from "./route-record.ts";
import type { ScaleEvents } from "./scale-events.ts";
import { addressTypesOf } from "./slice-api.ts";
import { formatVersion, versionOf } from "./version.ts";
import type { WatchedCluster } from "./watched-cluster.ts";
import type { WorkloadApi } from "./workload-api.ts";
import type { WorkloadFacts } from "./workload-facts.ts";
import { asksToBeManaged, refOf, wasManaged, type Workload } from "./workload.ts";

/** From one try to the next to list a DLX that does not listen yet. */
const dialAgainMs: Milliseconds = 250;

/** From one look to the next at whether pods have come into the traffic: while some are ready, and while none is. */
const restoreAgainMs = { soon: 500, late: 5_000 } as const;

/**
 * How long the DLXs go on listening for a workload that is managed no more once its traffic is back: nodes learn of it
 * later, and send to the DLXs until then.
 */
export const lingerMs: Milliseconds = 5_000;

/** Workloads whose way out is remembered at once. */
const mostLeaving = 1_000;

/** What a workload's keeper works with. */
export interface WorkloadKeeperParts {
  readonly watched: WatchedCluster;
  readonly routes: RouteApi;
  readonly api: WorkloadApi;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: ScaleEvents;
}

/** Brings all that belongs to one workload in order, as far as that can be done at one moment. */
export class WorkloadKeeper {
  readonly #parts: WorkloadKeeperParts;
  readonly #fights: Fights;
  readonly #keys: KeyKeeper;
  /** When the traffic of those that are managed no more was first seen to be back, by uid. */
  readonly #backAt = new Map<string, Milliseconds>();

  constructor(parts: WorkloadKeeperParts) {
    this.#parts = parts;
    this.#fights = new Fights(parts.clock);
    this.#keys = new KeyKeeper({ ...parts, fights: this.#fights });
  }

  /** After how long it has to be looked at again without a change; undefined: not before one. */
  async keep(facts: WorkloadFacts, signal: AbortSignal): Promise<Milliseconds | undefined> {
    const { events } = this.#parts;
    const { plan, workload } = facts;
    const toldInMs = plan.refusal === undefined ? events.accepted(workload) : events.refused(workload, plan.refusal);
    const again = plan.policy.enabled
      ? await this.#keepManaged(facts, signal)
      : facts.hasLeftovers
        ? await this.#keepUnmanaged(facts, signal)
        : undefined;
    return soonest(toldInMs, again);
  }

  async #keepManaged(facts: WorkloadFacts, signal: AbortSignal): Promise<Milliseconds | undefined> {
    this.#backAt.delete(facts.workload.metadata.uid);
    const { service } = facts.plan;
    const remembered = await this.#rememberCount(facts.workload, signal);
    return service === undefined ? remembered : soonest(remembered, await this.#keepDiverted(facts, service, signal));
  }

  /** A count that somebody else set is what the next wake asks for. */
  async #rememberCount(workload: Workload, signal: AbortSignal): Promise<Milliseconds | undefined> {
    const { metadata, spec } = workload;
    const desired = spec.replicas ?? 1;
    if (desired < 1 || readWakeReplicas(metadata) === desired) return undefined;
    const thing = `count ${metadata.uid}`;
    const dueInMs = this.#fights.dueInMs(thing);
    if (dueInMs > 0) return dueInMs;
    await this.#parts.api.rememberCount(workload, desired, signal);
    this.#fights.repaired(thing);
    return undefined;
  }

  /** Slices and key of a Service that is, or may be, diverted. */
  async #keepDiverted(
    facts: WorkloadFacts,
    service: ServiceObject,
    signal: AbortSignal,
  ): Promise<Milliseconds | undefined> {
    const { routes, watched } = this.#parts;
    const { plan, slices, wakeReplicas, workload } = facts;
    const order = { service, ports: plan.ports, drains: plan.drains, wakeReplicas };
    const podsServe = this.#keys.untilPodsServe(service) <= 0 && watched.podsOf(workload).some(isServing);
    let isComplete = true;
    let isServed = true;
    for (const addressType of addressTypesOf(service)) {
      const slice = slices.find((each) => each.addressType === addressType);
      if (slice === undefined) {
        await routes.ensureSlice(order, addressType, signal);
        isServed = false;
        continue;
      }
      const choice = { signal, dialsAll: this.#keys.isTakenOut(service), podsServe };
      const state = await routes.refreshSlice(slice, order, choice);
      isComplete &&= state.isComplete;
      isServed &&= state.isServed;
    }
    const again = await this.#keys.keep(facts, service, isServed, signal);
    return isComplete ? again : soonest(again, dialAgainMs);
  }

  /** Managed no more, or refused: a workload that its owner took back is woken, its traffic comes back, the rest goes. */
  async #keepUnmanaged(facts: WorkloadFacts, signal: AbortSignal): Promise<Milliseconds | undefined> {
    const { api, routes, logger } = this.#parts;
    const { workload, plan, slices, wakeReplicas } = facts;
    const ref = refOf(workload);
    const { service } = plan;
    const desired = workload.spec.replicas ?? 1;
    if (!asksToBeManaged(workload) && wasManaged(workload) && desired === 0) {
      // Only over what was seen: somebody may be scaling it at this moment.
      await api.scale(ref, wakeReplicas, { ifVersion: formatVersion(versionOf(workload.metadata)), signal });
      logger.info({ resource: `${ref.namespace}/${ref.name}`, replicas: wakeReplicas }, "woken: it is managed no more");
      return undefined;
    }
    if (service !== undefined && facts.routedTo !== "resource")
      return desired === 0 ? this.#keepDiverted(facts, service, signal) : this.#restore(facts, service, signal);
    if (asksToBeManaged(workload)) return undefined;
    const leftMs = slices.length > 0 ? this.#lingersFor(workload.metadata.uid) : 0;
    if (leftMs > 0) return leftMs;
    this.#backAt.delete(workload.metadata.uid);
    if (service !== undefined && (slices.length > 0 || readRoute(service.metadata) !== undefined))
      await routes.forget(service, signal);
    await api.forget(workload, signal);
    return undefined;
  }

  #lingersFor(uid: string): Milliseconds {
    const now = this.#parts.clock.monotonic();
    const backAt = this.#backAt.get(uid) ?? now;
    this.#backAt.set(uid, backAt);
    const [oldest] = this.#backAt.keys();
    if (this.#backAt.size > mostLeaving && oldest !== undefined) this.#backAt.delete(oldest);
    return backAt + lingerMs - now;
  }

  /** Gives the traffic back once the pods are ready for it. */
  async #restore(facts: WorkloadFacts, service: ServiceObject, signal: AbortSignal): Promise<Milliseconds | undefined> {
    const { routes, watched } = this.#parts;
    const { workload, plan, slices, wakeReplicas, route } = facts;
    const { uid } = workload.metadata;
    this.#backAt.delete(uid);
    const record = { to: "resource", uid, epoch: route?.uid === uid ? route.epoch : 0 } as const;
    const order: RouteOrder = { service, ports: plan.ports, drains: plan.drains, wakeReplicas, record };
    for (const slice of slices) if (plan.ports.length > 0) await routes.refreshSlice(slice, order, { signal });
    const pods = watched.podsOf(workload).filter(isServing);
    await routes.beginRestore(order, signal);
    const inTraffic = pods.length === 0 ? new Set<string>() : await routes.podsInTraffic(service, signal);
    const isBack = pods.filter(({ metadata }) => inTraffic.has(metadata.uid)).length >= (workload.spec.replicas ?? 1);
    if (isBack) await routes.endRestore(order, signal);
    return pods.length > 0 ? restoreAgainMs.soon : restoreAgainMs.late;
  }
}

function isServing(pod: Parameters<typeof isReady>[0]): boolean {
  return isLiving(pod) && isReady(pod);
}

function soonest(...times: readonly (Milliseconds | undefined)[]): Milliseconds | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
