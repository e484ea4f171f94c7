import {
  backoffMs,
  formatDuration,
  type LocalRef,
  type Milliseconds,
  type Policy,
  type Timer,
  toScalerError,
} from "@dormouse/core";
import PQueue from "p-queue";
import { serviceNameLabel } from "./names.ts";
import { readRoute } from "./route-record.ts";
import { WorkloadKeeper, type WorkloadKeeperParts } from "./workload-keeper.ts";
import { factsOf } from "./workload-facts.ts";
import { refOf } from "./workload.ts";

/** Workloads that are put in order at once. */
const concurrency = 8;

/** Everything is looked at again after so long, in case a change was missed. */
const lookAgainMs: Milliseconds = 60_000;

/** How long one workload may take. */
const limitMs: Milliseconds = 20_000;

const retry = { firstMs: 250, longestMs: 60_000 };

/** What the keeper works with. */
export interface KeeperParts extends WorkloadKeeperParts {
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
  readonly #workloads: WorkloadKeeper;
  readonly #queue = new PQueue({ concurrency });
  readonly #life = new AbortController();
  /** Refs that wait for their turn, that have it, and that changed meanwhile, by their text. */
  readonly #waiting = new Set<string>();
  readonly #running = new Set<string>();
  readonly #changed = new Set<string>();
  /** Looks that come by themselves, unless something changes before. */
  readonly #later = new Map<string, Timer>();
  readonly #failures = new Map<string, { readonly attempts: number; readonly problem: string }>();
  readonly #subscriptions: Disposable[] = [];
  readonly #looking: Promise<void>;

  constructor(parts: KeeperParts) {
    this.#parts = parts;
    this.#workloads = new WorkloadKeeper(parts);
    this.#looking = this.#look();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#life.abort();
    for (const subscription of this.#subscriptions) subscription[Symbol.dispose]();
    for (const timer of this.#later.values()) timer.cancel();
    this.#queue.clear();
    await Promise.all([this.#queue.onIdle(), this.#looking]);
  }

  /** Nothing before everything is known: half a picture would have slices removed and workloads called wrong. */
  async #look(): Promise<void> {
    const { watched, clock } = this.#parts;
    const { signal } = this.#life;
    while (!signal.aborted) {
      try {
        await watched.whenSynced(signal);
        break;
      } catch {
        // The informers go on trying, and say why in the log.
        await clock.sleep(1_000, signal).catch(() => {});
      }
    }
    if (signal.aborted) return;
    this.#subscriptions.push(
      watched.subscribe((refs) => {
        for (const ref of refs) this.#offer(ref);
      }),
      watched.subscribeDlxs(() => this.#offerDiverted()),
    );
    while (!signal.aborted) {
      for (const workload of watched.workloads()) this.#offer(refOf(workload));
      await this.#sweep();
      await clock.sleep(lookAgainMs, signal).catch(() => {});
    }
  }

  /** The DLXs changed: every diverted Service's slices may be out of date. */
  #offerDiverted(): void {
    const { watched } = this.#parts;
    const namespaces = new Set(
      watched.slices().flatMap(({ metadata }) => (readRoute(metadata) === undefined ? [] : [metadata.namespace])),
    );
    for (const namespace of namespaces)
      for (const workload of watched.workloadsIn(namespace)) this.#offer(refOf(workload));
  }

  #offer(ref: LocalRef): void {
    const key = keyOf(ref);
    if (this.#life.signal.aborted || this.#waiting.has(key)) return;
    this.#later.get(key)?.cancel();
    this.#later.delete(key);
    this.#waiting.add(key);
    void this.#queue.add(() => this.#turn(ref, key));
  }

  #offerLater(ref: LocalRef, afterMs: Milliseconds): void {
    const key = keyOf(ref);
    if (this.#life.signal.aborted || this.#waiting.has(key)) return;
    this.#later.get(key)?.cancel();
    this.#later.set(
      key,
      this.#parts.clock.setTimer(Math.max(1, afterMs), () => this.#offer(ref), { unref: true }),
    );
  }

  /** One workload is never put in order twice at once. */
  async #turn(ref: LocalRef, key: string): Promise<void> {
    this.#waiting.delete(key);
    if (this.#running.has(key)) return void this.#changed.add(key);
    this.#running.add(key);
    const again = await this.#keep(ref, key);
    this.#running.delete(key);
    if (this.#changed.delete(key)) this.#offer(ref);
    else if (again !== undefined) this.#offerLater(ref, again);
  }

  async #keep(ref: LocalRef, key: string): Promise<Milliseconds | undefined> {
    const { watched, clock, defaults } = this.#parts;
    if (watched.isReleased || this.#life.signal.aborted) return undefined;
    const workload = watched.workload(ref);
    if (workload === undefined) {
      this.#failures.delete(key);
      await this.#sweep(ref.namespace);
      return undefined;
    }
    const deadline = new AbortController();
    const timer = clock.setTimer(limitMs, () =>
      deadline.abort(new Error(`took longer than ${formatDuration(limitMs)}`)),
    );
    try {
      const signal = AbortSignal.any([deadline.signal, this.#life.signal]);
      const again = await this.#workloads.keep(factsOf(workload, watched, defaults), signal);
      this.#failures.delete(key);
      return again;
    } catch (error) {
      return this.#life.signal.aborted ? undefined : this.#failed(key, error);
    } finally {
      timer.cancel();
    }
  }

  #failed(key: string, error: unknown): Milliseconds {
    const { code, message } = toScalerError(error, "SCALER_UNAVAILABLE");
    const { attempts = 0, problem } = this.#failures.get(key) ?? {};
    this.#failures.set(key, { attempts: attempts + 1, problem: code });
    // A write that came too late is nothing to tell of: the next look is at what is there now.
    if (code !== "SCALER_CONFLICT" && problem !== code)
      this.#parts.logger.warn(
        { resource: key, code, error: message },
        "could not put a workload's Service in order; trying again",
      );
    return backoffMs(Math.min(attempts, 20), retry);
  }

  /** Takes away the slices and keys of Services that lead to no workload any more. */
  async #sweep(only?: string): Promise<void> {
    const { watched, routes, logger, defaults } = this.#parts;
    if (watched.isReleased) return;
    const byNamespace = Map.groupBy(watched.slices(), ({ metadata }) => metadata.namespace);
    for (const [namespace, slices] of byNamespace) {
      if (only !== undefined && namespace !== only) continue;
      const leading = new Set(
        watched
          .workloadsIn(namespace)
          .map((workload) => factsOf(workload, watched, defaults).plan.service?.metadata.uid),
      );
      const names = new Set(slices.map(({ metadata }) => metadata.labels?.[serviceNameLabel]));
      for (const service of watched.servicesIn(namespace)) {
        if (!names.has(service.metadata.name) || leading.has(service.metadata.uid)) continue;
        await routes.forget(service, this.#life.signal).catch((error: unknown) => {
          const { code, message } = toScalerError(error, "SCALER_UNAVAILABLE");
          if (!this.#life.signal.aborted && code !== "SCALER_CONFLICT")
            logger.warn(
              { service: `${namespace}/${service.metadata.name}`, code, error: message },
              "a left slice could not be removed",
            );
        });
      }
    }
  }
}

function keyOf({ namespace, name }: LocalRef): string {
  return `${namespace}/${name}`;
}
