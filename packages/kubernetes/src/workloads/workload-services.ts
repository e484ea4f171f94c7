import { type Clock, formatRef, type Logger, type ScalerError } from "@dormouse/core";
import type { Cluster } from "../cluster/cluster.ts";
import type { Informer } from "../informer/informer.ts";
import { openInformers } from "../informer/open-informers.ts";
import { toLocalRef, type WorkloadKind, type WorkloadName, workloadPlurals } from "../workload-ref.ts";
import { type Pair, pairServices } from "./pair-services.ts";
import {
  annotationPrefix,
  type Service,
  type ServiceObject,
  toService,
  toWorkload,
  type Workload,
  type WorkloadObject,
} from "./workload-objects.ts";

/** What following needs. */
export interface WorkloadServicesOptions {
  readonly cluster: Cluster;
  /** Left out: all. */
  readonly namespaces: readonly string[] | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly prefix?: string;
}

/** The Services before enabled workloads, followed. */
export class WorkloadServices implements AsyncDisposable {
  readonly #workloads: readonly Informer<Workload>[];
  readonly #services: Informer<Service>;
  /** Undefined: something has changed since. */
  #pairs: readonly Pair[] | undefined;
  #byWorkload: ReadonlyMap<string, Service> | undefined;

  constructor({ cluster, prefix = annotationPrefix, ...options }: WorkloadServicesOptions) {
    const kinds: readonly WorkloadKind[] = ["Deployment", "StatefulSet"];
    this.#workloads = kinds.map((kind) =>
      openInformers<Workload, WorkloadObject>(cluster, {
        ...options,
        groupVersion: "apps/v1",
        plural: workloadPlurals[kind],
        project: (object) => toWorkload(kind, object, prefix),
      }),
    );
    this.#services = openInformers<Service, ServiceObject>(cluster, {
      ...options,
      groupVersion: "v1",
      plural: "services",
      project: (object) => toService(object, prefix),
    });
    this.onChange(() => {
      this.#pairs = undefined;
      this.#byWorkload = undefined;
    });
  }

  get pairs(): readonly Pair[] {
    this.#pairs ??= pairServices(
      this.#workloads.flatMap((informer) => informer.list()),
      this.#services.list(),
    );
    return this.#pairs;
  }

  serviceOf(workload: WorkloadName): Service | undefined {
    this.#byWorkload ??= new Map(this.pairs.map((pair) => [keyOf(pair.workload), pair.service]));
    return this.#byWorkload.get(keyOf(workload));
  }

  /** Why the pairs may be out of date now. */
  get problem(): ScalerError | undefined {
    return this.#informers.map(({ problem }) => problem).find((problem) => problem !== undefined);
  }

  async whenSynced(signal?: AbortSignal): Promise<void> {
    await Promise.all(this.#informers.map((informer) => informer.whenSynced(signal)));
  }

  /** Calls back when the pairs may be others; not for changes that only concern what nobody keeps, such as a status. */
  onChange(listener: () => void): Disposable {
    const subscriptions = this.#informers.map((informer) =>
      informer.subscribe((change) => {
        const isSame = change.kind === "set" && JSON.stringify(change.object) === JSON.stringify(change.before ?? null);
        if (!isSame && change.kind !== "synced") listener();
      }),
    );
    return {
      [Symbol.dispose]: () => {
        for (const subscription of subscriptions) subscription[Symbol.dispose]();
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#informers.map((informer) => informer[Symbol.asyncDispose]()));
  }

  get #informers(): readonly Informer<Workload | Service>[] {
    return [...this.#workloads, this.#services] as readonly Informer<Workload | Service>[];
  }
}

function keyOf(workload: WorkloadName): string {
  return formatRef({ scaler: "", ...toLocalRef(workload) });
}
