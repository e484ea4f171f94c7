import type { Clock, LocalRef, Logger, Milliseconds, ScalerError } from "@dormouse/core";
import { type Cluster, type Informer, openInformer, openInformers } from "@dormouse/kubernetes";
import { GroupIndex } from "./group-index.ts";
import type { K8sDeploymentOptions } from "./k8s-deployment-options.ts";
import { matchesLabels } from "./match-labels.ts";
import { managedBy, managedByLabel, serviceNameLabel, workloadAnnotations } from "./names.ts";
import type { PodObject, ServiceObject, SliceObject, WorkloadObject } from "./objects.ts";
import { ownerKey, ownerKeyOf, toPod } from "./pod.ts";
import { objectOf, refOf, toWorkload, type Workload, type WorkloadKind } from "./workload.ts";

/** What a watched cluster is opened with. */
export interface WatchedClusterOptions {
  readonly cluster: Cluster;
  readonly options: K8sDeploymentOptions;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface ScaledObject {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec?: { readonly scaleTargetRef?: { readonly kind?: string; readonly name?: string } };
}

interface StateMap {
  readonly metadata: { readonly name: string; readonly resourceVersion: string };
  readonly data?: Readonly<Record<string, string>>;
}

/** Key in the state's ConfigMap that says since when Dormouse has handed everything back. */
export const releasedKey = "released";

/** Everything of the cluster that the scaler follows, in memory, and whom a change concerns. */
export class WatchedCluster implements AsyncDisposable {
  readonly #workloads: Readonly<Record<WorkloadKind, Informer<Workload>>>;
  readonly #services: Informer<ServiceObject>;
  readonly #pods: Informer<PodObject>;
  readonly #slices: Informer<SliceObject>;
  readonly #dlxSlices: Informer<SliceObject>;
  readonly #state: Informer<StateMap>;
  readonly #scaledObjects: Informer<ScaledObject> | undefined;
  readonly #workloadsIn: readonly GroupIndex<Workload>[];
  readonly #servicesIn: GroupIndex<ServiceObject>;
  readonly #podsOf: GroupIndex<PodObject>;
  readonly #slicesOf: GroupIndex<SliceObject>;
  readonly #scaledObjectsIn: GroupIndex<ScaledObject> | undefined;
  readonly #listeners = new Set<(refs: readonly LocalRef[]) => void>();
  readonly #dlxListeners = new Set<() => void>();
  /** Those whose facts may have changed since the listeners were told. */
  readonly #touched = new Map<string, LocalRef>();

  constructor({ cluster, options, clock, logger }: WatchedClusterOptions) {
    const shared = { namespaces: options.namespaces, clock, logger };
    const workloads = (kind: WorkloadKind, plural: string): Informer<Workload> =>
      openInformers<Workload, WorkloadObject>(cluster, {
        ...shared,
        groupVersion: "apps/v1",
        plural,
        project: (object) => toWorkload(kind, object),
      });
    const discovery = cluster.serves("discovery.k8s.io/v1", "endpointslices")
      ? "discovery.k8s.io/v1"
      : "discovery.k8s.io/v1beta1";
    const slices = { groupVersion: discovery, plural: "endpointslices", clock, logger };
    this.#workloads = {
      Deployment: workloads("Deployment", "deployments"),
      StatefulSet: workloads("StatefulSet", "statefulsets"),
    };
    this.#services = openInformers<ServiceObject>(cluster, { ...shared, groupVersion: "v1", plural: "services" });
    this.#pods = openInformers<PodObject, PodObject>(cluster, {
      ...shared,
      groupVersion: "v1",
      plural: "pods",
      project: toPod,
    });
    this.#slices = openInformers<SliceObject>(cluster, {
      ...shared,
      ...slices,
      labelSelector: `${managedByLabel}=${managedBy}`,
    });
    this.#dlxSlices = openInformer<SliceObject>(cluster, {
      ...slices,
      namespace: options.dlx.namespace ?? cluster.namespace,
      labelSelector: `${serviceNameLabel}=${options.dlx.service}`,
    });
    this.#state = openInformer<StateMap>(cluster, {
      groupVersion: "v1",
      plural: "configmaps",
      clock,
      logger,
      namespace: options.state.namespace ?? cluster.namespace,
      fieldSelector: `metadata.name=${options.state.configMap}`,
    });
    this.#scaledObjects = cluster.serves("keda.sh/v1alpha1", "scaledobjects")
      ? openInformers<ScaledObject>(cluster, { ...shared, groupVersion: "keda.sh/v1alpha1", plural: "scaledobjects" })
      : undefined;
    const namespaceOf = ({ metadata }: { readonly metadata: { readonly namespace: string } }): string =>
      metadata.namespace;
    const nameOf = ({
      metadata,
    }: {
      readonly metadata: { readonly namespace: string; readonly name: string };
    }): string => `${metadata.namespace}/${metadata.name}`;
    this.#workloadsIn = Object.values(this.#workloads).map((informer) => new GroupIndex(informer, namespaceOf, nameOf));
    this.#servicesIn = new GroupIndex(this.#services, namespaceOf, nameOf);
    this.#podsOf = new GroupIndex(this.#pods, ownerKeyOf, nameOf);
    this.#slicesOf = new GroupIndex(this.#slices, serviceKeyOf, nameOf);
    this.#scaledObjectsIn =
      this.#scaledObjects === undefined ? undefined : new GroupIndex(this.#scaledObjects, namespaceOf, nameOf);
    this.#follow();
  }

  /** Resolves once everything has been listed. */
  async whenSynced(signal?: AbortSignal): Promise<void> {
    await Promise.all(this.#informers.map((informer) => informer.whenSynced(signal)));
  }

  /** Every Deployment and StatefulSet in scope. */
  workloads(): readonly Workload[] {
    return Object.values(this.#workloads).flatMap((informer) => informer.list());
  }

  workload(ref: LocalRef): Workload | undefined {
    const { kind, namespace, name } = objectOf(ref);
    return this.#workloads[kind].get(namespace, name);
  }

  workloadsIn(namespace: string): readonly Workload[] {
    return this.#workloadsIn.flatMap((index) => index.of(namespace));
  }

  servicesIn(namespace: string): readonly ServiceObject[] {
    return this.#servicesIn.of(namespace);
  }

  podsOf(workload: Pick<Workload, "kind" | "metadata">): readonly PodObject[] {
    return this.#podsOf.of(ownerKey(workload));
  }

  /** Our extra slices of a Service. */
  slicesOf(namespace: string, service: string): readonly SliceObject[] {
    return this.#slicesOf.of(`${namespace}/${service}`);
  }

  /** All of our extra slices. */
  slices(): readonly SliceObject[] {
    return this.#slices.list();
  }

  /** The slices of the DLXs' own Service. */
  dlxSlices(): readonly SliceObject[] {
    return this.#dlxSlices.list();
  }

  /** Name of the KEDA ScaledObject that scales a workload. */
  scaledObjectOf({ kind, metadata: { namespace, name } }: Workload): string | undefined {
    return this.#scaledObjectsIn
      ?.of(namespace)
      .find(({ spec }) => spec?.scaleTargetRef?.name === name && (spec.scaleTargetRef.kind ?? "Deployment") === kind)
      ?.metadata.name;
  }

  /** Whether Dormouse has handed everything back: nothing is managed any more. */
  get isReleased(): boolean {
    return this.#state.list().some(({ data }) => data?.[releasedKey] !== undefined);
  }

  /** Whom the book gave a port of the DLXs to. */
  bookedUserOf(port: number): string | undefined {
    return this.#state
      .list()
      .map(({ data }) => data?.[String(port)])
      .find((user) => user !== undefined);
  }

  /** Why what is known may be out of date; undefined while everything is followed. */
  get problem(): ScalerError | undefined {
    return this.#informers.map(({ problem }) => problem).find((problem) => problem !== undefined);
  }

  /** Since when the server has confirmed the oldest part of it, in ms. */
  get freshForMs(): Milliseconds {
    return Math.max(...this.#informers.map(({ freshForMs }) => freshForMs));
  }

  /** Calls back with the workloads whose facts may have changed. */
  subscribe(listener: (refs: readonly LocalRef[]) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Calls back when the ready DLXs may have changed. */
  subscribeDlxs(listener: () => void): Disposable {
    this.#dlxListeners.add(listener);
    return { [Symbol.dispose]: () => void this.#dlxListeners.delete(listener) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listeners.clear();
    this.#dlxListeners.clear();
    await Promise.all(this.#informers.map((informer) => informer[Symbol.asyncDispose]()));
  }

  get #informers(): readonly Informer<unknown>[] {
    const scaled = this.#scaledObjects === undefined ? [] : [this.#scaledObjects];
    return [
      ...Object.values(this.#workloads),
      this.#services,
      this.#pods,
      this.#slices,
      this.#dlxSlices,
      this.#state,
      ...scaled,
    ];
  }

  #follow(): void {
    for (const informer of Object.values(this.#workloads)) {
      informer.subscribe((change) => {
        if (change.kind === "synced") return;
        this.#touch(refOf(change.object));
        const before = change.kind === "set" ? change.before : undefined;
        if (change.kind === "gone" || !isSameFor(before, change.object))
          this.#touchAll(change.object.metadata.namespace);
      });
    }
    this.#services.subscribe((change) => {
      if (change.kind === "synced") return;
      this.#touchBehind(change.object);
      if (change.kind === "set" && change.before !== undefined) this.#touchBehind(change.before);
    });
    this.#pods.subscribe((change) => {
      if (change.kind !== "synced") this.#touchOwner(ownerKeyOf(change.object));
    });
    this.#slices.subscribe((change) => {
      if (change.kind === "synced") return;
      const { namespace, labels } = change.object.metadata;
      const service = this.#services.get(namespace, labels?.[serviceNameLabel] ?? "");
      if (service !== undefined) this.#touchBehind(service);
    });
    this.#scaledObjects?.subscribe((change) => {
      if (change.kind !== "synced") this.#touchAll(change.object.metadata.namespace);
    });
    this.#state.subscribe((change) => {
      if (change.kind === "synced") return;
      const wasReleased = change.kind === "set" && change.before?.data?.[releasedKey] !== undefined;
      if (wasReleased !== this.isReleased) for (const workload of this.workloads()) this.#touch(refOf(workload));
    });
    this.#dlxSlices.subscribe(() => {
      for (const listener of this.#dlxListeners) listener();
    });
  }

  #touchOwner(key: string): void {
    const [namespace = "", kind, name = ""] = key.split("/");
    if (name !== "") this.#touch({ namespace, name: kind === "StatefulSet" ? `statefulset:${name}` : name });
  }

  /** Whoever a Service leads to, or names it. */
  #touchBehind({ metadata: { namespace, name }, spec }: ServiceObject): void {
    if (this.#listeners.size === 0) return;
    for (const workload of this.workloadsIn(namespace)) {
      const isNamed = workload.metadata.annotations?.[workloadAnnotations.service]?.trim() === name;
      if (isNamed || matchesLabels(spec.selector, workload.spec.template.metadata?.labels))
        this.#touch(refOf(workload));
    }
  }

  #touchAll(namespace: string): void {
    if (this.#listeners.size === 0) return;
    for (const workload of this.workloadsIn(namespace)) this.#touch(refOf(workload));
  }

  /** Told once what is under way has been taken in, so that a burst is one change. */
  #touch(ref: LocalRef): void {
    if (this.#listeners.size === 0) return;
    if (this.#touched.size === 0) queueMicrotask(() => this.#tell());
    this.#touched.set(`${ref.namespace}/${ref.name}`, ref);
  }

  #tell(): void {
    const refs = [...this.#touched.values()];
    this.#touched.clear();
    for (const listener of this.#listeners) listener(refs);
  }
}

/** Whether two states of a workload are the same to its neighbours. */
function isSameFor(before: Workload | undefined, after: Workload): boolean {
  if (before === undefined) return false;
  const one = before.spec.template.metadata?.labels ?? {};
  const other = after.spec.template.metadata?.labels ?? {};
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length && keys.every((key) => one[key] === other[key]);
}

function serviceKeyOf({ metadata: { namespace, labels } }: SliceObject): string {
  return `${namespace}/${labels?.[serviceNameLabel] ?? ""}`;
}
