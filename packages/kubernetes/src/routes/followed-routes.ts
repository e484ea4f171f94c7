import type { Clock, Logger } from "@dormouse/core";
import type { Cluster } from "../cluster/cluster.ts";
import type { Informer } from "../informer/informer.ts";
import { openInformers } from "../informer/open-informers.ts";
import type { KubeObject } from "../kube-object.ts";
import { WorkloadServices } from "../workloads/workload-services.ts";
import { type Backends, type ReadRoutes, toBackends } from "./backends.ts";
import { type HttpRoute, readHttpRoute } from "./http-route-routes.ts";
import { type Ingress, readIngress } from "./ingress-routes.ts";
import type { RouteSourceOptions } from "./route-source-options.ts";

/** What following needs. */
export interface FollowedRoutesOptions {
  readonly cluster: Cluster;
  readonly options: RouteSourceOptions;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** One kind of object that routes come from. */
interface Kind<Item extends KubeObject = KubeObject> {
  readonly informer: Informer<Item>;
  readonly read: (item: Item, backends: Backends) => ReadRoutes;
}

/** Ingresses, HTTPRoutes, workloads and Services, followed, and the routes that come of them. */
export class FollowedRoutes implements AsyncDisposable {
  readonly #options: RouteSourceOptions;
  readonly #services: WorkloadServices;
  readonly #kinds: readonly Kind[];

  constructor({ cluster, options, clock, logger }: FollowedRoutesOptions) {
    const { namespaces } = options;
    const shared = { namespaces, clock, logger };
    const follow = <Item extends KubeObject>(
      groupVersion: string,
      plural: string,
      read: Kind<Item>["read"],
    ): Kind<Item> => ({
      informer: openInformers<Item, Item>(cluster, { ...shared, groupVersion, plural, project: withoutNoise }),
      read,
    });
    const gateway = ["gateway.networking.k8s.io/v1", "gateway.networking.k8s.io/v1beta1"].find((version) =>
      cluster.serves(version, "httproutes"),
    );
    this.#options = options;
    this.#services = new WorkloadServices({ ...shared, cluster, prefix: options.annotationPrefix });
    this.#kinds = [
      ...(options.ingress ? [follow<Ingress>("networking.k8s.io/v1", "ingresses", readIngress)] : []),
      ...(options.gateway && gateway !== undefined ? [follow<HttpRoute>(gateway, "httproutes", readHttpRoute)] : []),
    ] as readonly Kind[];
  }

  /** The routes of now: those of older objects first, which is how controllers settle who wins. */
  read(): ReadRoutes {
    const backends = toBackends(this.#services.pairs, this.#options.scaler);
    const read = this.#kinds.flatMap(({ informer, read }) =>
      informer
        .list()
        .toSorted(byAge)
        .map((item) => read(item, backends)),
    );
    return { routes: read.flatMap(({ routes }) => routes), skipped: read.flatMap(({ skipped }) => skipped) };
  }

  /**
   * Resolves once workloads, Services and every kind of object are known. A kind that may not be read is done without;
   * rejects where it is workloads or Services.
   */
  async whenSynced(signal?: AbortSignal): Promise<void> {
    const kinds = this.#kinds.map(({ informer }) =>
      informer.whenSynced(signal).catch((error: unknown) => {
        if (informer.problem?.retryable !== false) throw error;
      }),
    );
    await Promise.all([this.#services.whenSynced(signal), ...kinds]);
  }

  onChange(listener: () => void): Disposable {
    const subscriptions = [
      this.#services.onChange(listener),
      ...this.#kinds.map(({ informer }) => informer.subscribe(listener)),
    ];
    return {
      [Symbol.dispose]: () => {
        for (const subscription of subscriptions) subscription[Symbol.dispose]();
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#kinds.map(({ informer }) => informer[Symbol.asyncDispose]()));
    await this.#services[Symbol.asyncDispose]();
  }
}

/** What routes come from: the status changes often and leads nowhere. */
function withoutNoise<Item extends KubeObject>(object: Item): Item {
  const { namespace, name, creationTimestamp } = object.metadata;
  const metadata = {
    name,
    ...(namespace !== undefined && { namespace }),
    ...(creationTimestamp !== undefined && { creationTimestamp }),
  };
  const { status: _, ...rest } = object as Item & { readonly status?: unknown };
  return { ...rest, metadata } as unknown as Item;
}

function byAge({ metadata: one }: KubeObject, { metadata: other }: KubeObject): number {
  const [first, second] = [one, other].map(
    ({ creationTimestamp = "", namespace = "", name }) => `${creationTimestamp}\0${namespace}\0${name}`,
  );
  return (first ?? "") < (second ?? "") ? -1 : 1;
}
