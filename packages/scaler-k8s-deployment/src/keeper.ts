import {
  backoffMs,
  type Clock,
  formatDuration,
  isScalerError,
  type LocalRef,
  type Logger,
  type Milliseconds,
  type Policy,
  toScalerError,
} from "@dormouse/core";
import PQueue from "p-queue";
import { readyDlxs } from "./dlx-endpoints.ts";
import { divertedKey, serviceNameLabel } from "./names.ts";
import type { ServiceObject } from "./objects.ts";
import { isLiving } from "./pod.ts";
import type { RouteApi, RouteOrder } from "./route-api.ts";
import { readRoute } from "./route-record.ts";
import { addressTypesOf } from "./slice-api.ts";
import type { ScaleEvents } from "./scale-events.ts";
import type { WatchedCluster } from "./watched-cluster.ts";
import type { WorkloadApi } from "./workload-api.ts";
import { factsOf, type WorkloadFacts } from "./workload-facts.ts";
import { asksToBeManaged, refOf, wasManaged } from "./workload.ts";

/** Workloads that are put in order at once. */
const concurrency = 8;

/** Everything is looked at again after so long, in case a change was missed. */
const lookAgainMs: Milliseconds = 60_000;

/** How long one workload may take. */
const limitMs: Milliseconds = 20_000;

/** How long the DLXs may all be away before the pods take a diverted Service's traffic themselves. */
const withoutDlxMs: Milliseconds = 3_000;

const retry = { firstMs: 250, longestMs: 60_000 };

/** What the keeper works with. */
export interface KeeperParts {
  readonly watched: WatchedCluster;
  readonly routes: RouteApi;
  readonly api: WorkloadApi;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: ScaleEvents;
  readonly defaults: Policy;
}

/**
 * Keeps what Dormouse adds to the cluster in order, whoever changes it and whatever ended in the middle: each managed
 * Service has its extra slices, with ports; those of a diverted Service list the DLXs that are ready; the extra key is
 * in the selector while it should be; a workload that is managed no more is woken, and nothing stays behind on it. Says
 * nothing about who should have the traffic: that is the host's, by `routeTraffic`.
 */
export class Keeper implements AsyncDisposable {
  readonly #parts: KeeperParts;
  readonly #queue = new PQueue({ concurrency });
  readonly #life = new AbortController();
  /** Refs that wait for their turn, by their text. */
  readonly #waiting = new Set<string>();
  readonly #failures = new Map<string, { readonly attempts: number; readonly problem: string }>();
  /** How often the key was put back for somebody who takes it out, and when last. */
  readonly #fights = new Map<string, { readonly times: number; readonly at: Milliseconds }>();
  readonly #subscriptions: readonly Disposable[];
  readonly #looking: Promise<void>;
  #withoutDlxSince: Milliseconds | undefined;

  constructor(parts: KeeperParts) {
    this.#parts = parts;
    const { watched } = parts;
    this.#subscriptions = [
      watched.subscribe((refs) => {
        for (const ref of refs) this.#offer(ref);
      }),
      watched.subscribeDlxs(() => this.#offerDiverted()),
    ];
    this.#looking = this.#lookAgain();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#life.abort();
    for (const subscription of this.#subscriptions) subscription[Symbol.dispose]();
    this.#queue.clear();
    await Promise.all([this.#queue.onIdle(), this.#looking]);
  }

  async #lookAgain(): Promise<void> {
    const { watched, clock } = this.#parts;
    const { signal } = this.#life;
    while (!signal.aborted) {
      for (const workload of watched.workloads()) this.#offer(refOf(workload));
      await this.#sweep();
      await clock.sleep(lookAgainMs, signal).catch(() => {});
    }
  }

  /** The DLXs changed: every diverted Service's slices may be out of date. */
  #offerDiverted(): void {
    const { watched } = this.#parts;
    for (const { metadata } of watched.slices()) {
      if (readRoute(metadata)?.to !== "dlx") continue;
      for (const workload of watched.workloadsIn(metadata.namespace)) this.#offer(refOf(workload));
    }
  }

  #offer(ref: LocalRef, afterMs: Milliseconds = 0): void {
    const key = `${ref.namespace}/${ref.name}`;
    if (this.#life.signal.aborted || this.#waiting.has(key)) return;
    this.#waiting.add(key);
    const enter = (): void =>
      void this.#queue.add(async () => {
        this.#waiting.delete(key);
        await this.#keep(ref, key);
      });
    if (afterMs <= 0) return enter();
    void this.#parts.clock.sleep(afterMs, this.#life.signal).then(enter, () => {});
  }

  async #keep(ref: LocalRef, key: string): Promise<void> {
    const { watched, clock, logger, defaults } = this.#parts;
    const workload = watched.workload(ref);
    if (workload === undefined || watched.isReleased) return;
    const deadline = new AbortController();
    const timer = clock.setTimer(limitMs, () =>
      deadline.abort(new Error(`took longer than ${formatDuration(limitMs)}`)),
    );
    const signal = AbortSignal.any([deadline.signal, this.#life.signal]);
    try {
      const again = await this.#order(factsOf(workload, watched, defaults), signal);
      this.#failures.delete(key);
      if (again !== undefined) this.#offer(ref, again);
    } catch (error) {
      if (this.#life.signal.aborted) return;
      const { code, message } = toScalerError(error, "SCALER_UNAVAILABLE");
      const { attempts = 0, problem } = this.#failures.get(key) ?? {};
      this.#failures.set(key, { attempts: attempts + 1, problem: code });
      // A write that came too late is nothing to tell of: the next look is at what is there now.
      if (code !== "SCALER_CONFLICT" && problem !== code)
        logger.warn(
          { resource: key, code, error: message },
          "could not put a workload's Service in order; trying again",
        );
      this.#offer(ref, backoffMs(Math.min(attempts, 20), retry));
    } finally {
      timer.cancel();
    }
  }

  /** After how long it has to be looked at again without a change; undefined: not before one. */
  async #order(facts: WorkloadFacts, signal: AbortSignal): Promise<Milliseconds | undefined> {
    const { events } = this.#parts;
    const { plan, workload } = facts;
    if (plan.refusal === undefined) events.accepted(workload);
    else events.refused(workload, plan.refusal);
    if (plan.policy.enabled)
      return plan.service === undefined ? undefined : this.#orderManaged(facts, plan.service, signal);
    if (facts.hasLeftovers) return this.#orderUnmanaged(facts, signal);
    return undefined;
  }

  async #orderManaged(
    facts: WorkloadFacts,
    service: ServiceObject,
    signal: AbortSignal,
  ): Promise<Milliseconds | undefined> {
    const { routes } = this.#parts;
    const { plan, slices, wakeReplicas } = facts;
    const order = { service, ports: plan.ports, drains: plan.drains, wakeReplicas };
    let isComplete = true;
    for (const addressType of addressTypesOf(service)) {
      const slice = slices.find((each) => each.addressType === addressType);
      if (slice === undefined) await routes.ensureSlice(order, addressType, signal);
      else isComplete = (await routes.refreshSlice(slice, order, signal)).isComplete && isComplete;
    }
    const again = await this.#orderKey(facts, service, signal);
    return isComplete ? again : Math.min(again ?? retry.firstMs, retry.firstMs);
  }

  /** The extra key, where its place can be told from what is recorded. */
  async #orderKey(
    { workload, plan, slices }: WorkloadFacts,
    service: ServiceObject,
    signal: AbortSignal,
  ): Promise<Milliseconds | undefined> {
    const { routes, watched } = this.#parts;
    const hasKey = service.spec.selector?.[divertedKey] !== undefined;
    const record =
      slices.map(({ metadata }) => readRoute(metadata)).find((found) => found !== undefined) ??
      readRoute(service.metadata);
    const isDirect = plan.policy.routing === "direct";
    const hasPods = watched.podsOf(workload).some(isLiving);
    if (record?.to === "resource" || !plan.drains) {
      if (hasKey) await routes.setKey(service, false, signal);
      return undefined;
    }
    if (record === undefined) return undefined;
    if (isDirect) {
      if (hasKey && !hasPods && (workload.spec.replicas ?? 1) === 0) await routes.setKey(service, false, signal);
      return undefined;
    }
    const leftMs = this.#untilPodsServe(service);
    if (leftMs <= 0) {
      if (hasKey && hasPods) await routes.setKey(service, false, signal);
      return 1_000;
    }
    if (!hasKey && hasPods) return this.#putKeyBack(service, signal);
    return Number.isFinite(leftMs) ? leftMs : undefined;
  }

  /** Somebody, a tool perhaps, takes it out: it comes back, later each time. */
  async #putKeyBack(service: ServiceObject, signal: AbortSignal): Promise<Milliseconds | undefined> {
    const { clock, routes } = this.#parts;
    const key = `${service.metadata.namespace}/${service.metadata.name}`;
    const now = clock.monotonic();
    const { times = 0, at = -Infinity } = this.#fights.get(key) ?? {};
    const dueAt = times === 0 ? now : at + backoffMs(times, { firstMs: 1_000, longestMs: 300_000 });
    if (now < dueAt) return dueAt - now;
    await routes.setKey(service, true, signal);
    const isOld = now - at > 600_000;
    this.#fights.set(key, { times: isOld ? 1 : Math.min(times + 1, 20), at: now });
    return undefined;
  }

  /** Time until pods take over from DLXs that are all away, Infinity while one is ready. */
  #untilPodsServe(service: ServiceObject): Milliseconds {
    const { watched, clock } = this.#parts;
    const isServed = addressTypesOf(service).every(
      (addressType) => readyDlxs(watched.dlxSlices(), addressType).length > 0,
    );
    if (isServed) {
      this.#withoutDlxSince = undefined;
      return Infinity;
    }
    this.#withoutDlxSince ??= clock.monotonic();
    return this.#withoutDlxSince + withoutDlxMs - clock.monotonic();
  }

  /** Managed no more, or refused: a workload that its owner took back is woken, its traffic comes back, the rest goes. */
  async #orderUnmanaged(facts: WorkloadFacts, signal: AbortSignal): Promise<Milliseconds | undefined> {
    const { api, routes, logger } = this.#parts;
    const { workload, plan, slices, wakeReplicas } = facts;
    const ref = refOf(workload);
    const { service } = plan;
    const desired = workload.spec.replicas ?? 1;
    if (!asksToBeManaged(workload) && wasManaged(workload) && desired === 0) {
      logger.info({ resource: `${ref.namespace}/${ref.name}`, replicas: wakeReplicas }, "woken: it is managed no more");
      await api.scale(ref, wakeReplicas, undefined, signal);
      return 1_000;
    }
    if (service !== undefined && facts.routedTo !== "resource") {
      for (const slice of slices)
        await routes.refreshSlice(slice, { service, ports: plan.ports, drains: plan.drains, wakeReplicas }, signal);
      return this.#restoreOne(facts, service, signal);
    }
    if (asksToBeManaged(workload)) return undefined;
    if (service !== undefined && (slices.length > 0 || readRoute(service.metadata) !== undefined))
      await routes.forget(service, signal);
    if (wasManaged(workload)) await api.forget(ref, signal);
    return undefined;
  }

  /** Gives the traffic back once the pods are ready for it. */
  async #restoreOne(
    { workload, plan, wakeReplicas }: WorkloadFacts,
    service: ServiceObject,
    signal: AbortSignal,
  ): Promise<Milliseconds | undefined> {
    const { routes, watched } = this.#parts;
    const desired = workload.spec.replicas ?? 1;
    if (desired === 0) return undefined;
    const { uid } = workload.metadata;
    const last = readRoute(service.metadata);
    const record = { to: "resource", uid, epoch: last?.uid === uid ? last.epoch : 0 } as const;
    const order: RouteOrder = { service, ports: plan.ports, drains: plan.drains, wakeReplicas, record };
    await routes.beginRestore(order, signal);
    const inTraffic = await routes.podsInTraffic(service, signal);
    const isBack =
      watched.podsOf(workload).filter((pod) => isLiving(pod) && inTraffic.has(pod.metadata.uid)).length >= desired;
    if (isBack) await routes.endRestore(order, signal);
    return 500;
  }

  /** Slices and keys of Services that lead to no workload any more. */
  async #sweep(): Promise<void> {
    const { watched, routes, logger } = this.#parts;
    if (watched.isReleased) return;
    for (const slice of watched.slices()) {
      const { namespace, labels } = slice.metadata;
      const service = watched
        .servicesIn(namespace)
        .find(({ metadata }) => metadata.name === labels?.[serviceNameLabel]);
      if (service === undefined || this.#leadsSomewhere(service)) continue;
      await routes.forget(service, this.#life.signal).catch((error: unknown) => {
        if (!this.#life.signal.aborted && !isScalerError(error))
          logger.error({ error }, "a left slice could not be removed");
      });
    }
  }

  #leadsSomewhere(service: ServiceObject): boolean {
    const { watched, defaults } = this.#parts;
    return watched.workloadsIn(service.metadata.namespace).some((workload) => {
      const { plan } = factsOf(workload, watched, defaults);
      return plan.service?.metadata.uid === service.metadata.uid;
    });
  }
}
