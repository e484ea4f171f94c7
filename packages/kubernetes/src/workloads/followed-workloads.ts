import type { Clock, Logger, ScalerError } from "@dormouse/core";
import type { Cluster } from "../cluster/cluster.ts";
import type { Informer } from "../informer/informer.ts";
import { openInformers } from "../informer/open-informers.ts";
import type { KubeObject } from "../kube-object.ts";
import { parseQuantity } from "../metrics/parse-quantity.ts";
import type { Usage } from "../metrics/pod-metrics.ts";
import { type WorkloadKind, type WorkloadName, workloadPlurals } from "../workload-ref.ts";
import type { PodSelector } from "./pod-selector.ts";

/** What is kept of a workload: which pods are its own, how many there are, and what each asks for. */
export interface FollowedWorkload extends WorkloadName {
  readonly selector: PodSelector;
  /** Pods that there are by its status, those that are being deleted apart. */
  readonly pods: number;
  /** What one pod requests; a member is undefined where a container requests none of it. */
  readonly requests: { readonly [Resource in keyof Usage]: number | undefined };
}

interface Container {
  readonly restartPolicy?: string;
  readonly resources?: { readonly requests?: Readonly<Record<string, unknown>> | null } | null;
}

interface RawWorkload extends KubeObject {
  readonly spec?: {
    readonly selector?: PodSelector;
    readonly template?: {
      readonly spec?: {
        readonly containers?: readonly Container[] | null;
        readonly initContainers?: readonly Container[] | null;
      };
    };
  };
  readonly status?: { readonly replicas?: number };
}

/** What following needs. */
export interface FollowedWorkloadsOptions {
  readonly cluster: Cluster;
  /** Left out: all. */
  readonly namespaces: readonly string[] | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The Deployments and StatefulSets of a cluster, followed for what their pods use. */
export class FollowedWorkloads implements AsyncDisposable {
  readonly #informers: Readonly<Record<WorkloadKind, Informer<FollowedWorkload>>>;

  constructor({ cluster, ...options }: FollowedWorkloadsOptions) {
    const follow = (kind: WorkloadKind): Informer<FollowedWorkload> =>
      openInformers<FollowedWorkload, RawWorkload>(cluster, {
        ...options,
        groupVersion: "apps/v1",
        plural: workloadPlurals[kind],
        project: (object) => toFollowed(kind, object),
      });
    this.#informers = { Deployment: follow("Deployment"), StatefulSet: follow("StatefulSet") };
  }

  get({ kind, namespace, name }: WorkloadName): FollowedWorkload | undefined {
    return this.#informers[kind].get(namespace, name);
  }

  /** Why what is known may be out of date now. */
  get problem(): ScalerError | undefined {
    return this.#informers.Deployment.problem ?? this.#informers.StatefulSet.problem;
  }

  /** Resolves once all are known. */
  async whenSynced(signal: AbortSignal): Promise<void> {
    await Promise.all(Object.values(this.#informers).map((informer) => informer.whenSynced(signal)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(Object.values(this.#informers).map((informer) => informer[Symbol.asyncDispose]()));
  }
}

/** What is kept of a Deployment or StatefulSet. */
export function toFollowed(kind: WorkloadKind, { metadata, spec, status }: RawWorkload): FollowedWorkload {
  const { containers, initContainers } = spec?.template?.spec ?? {};
  // An init container that is always restarted is a sidecar: it runs beside the others, and is measured with them.
  const sidecars = (initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
  const running = [...(containers ?? []), ...sidecars];
  return {
    kind,
    namespace: metadata.namespace ?? "",
    name: metadata.name,
    selector: spec?.selector ?? {},
    pods: status?.replicas ?? 0,
    requests: { cpu: requestsOf(running, "cpu"), memory: requestsOf(running, "memory") },
  };
}

function requestsOf(containers: readonly Container[], resource: keyof Usage): number | undefined {
  const requests = containers.map(({ resources }) => parseQuantity(resources?.requests?.[resource]) ?? 0);
  return requests.length === 0 || requests.some((request) => request <= 0)
    ? undefined
    : requests.reduce((sum, request) => sum + request, 0);
}
