import { backoffMs, type Clock, isScalerError, type LocalRef, ScalerError } from "@dormouse/core";
import { apiPath, type Cluster } from "@dormouse/kubernetes";
import { fieldManager, workloadAnnotations } from "./names.ts";
import type { PodObject, WorkloadObject } from "./objects.ts";
import { epochOf, formatVersion, nextEpoch, versionOf } from "./version.ts";
import { objectOf, pluralOf, refOf, toWorkload, type Workload } from "./workload.ts";

/** Fresh reads of one workload that are kept for the write that usually follows. */
const mostRemembered = 1_000;

/** How often a write is repeated whose object had changed meanwhile, without its version. */
const mostTries = 20;

/** A ReplicaSet as far as a settled wake can be told by it. */
interface ReplicaSetObject {
  readonly metadata: { readonly generation?: number; readonly ownerReferences?: readonly { readonly uid: string }[] };
  readonly status?: { readonly observedGeneration?: number };
}

/** An accepted scaling. */
interface Scaled {
  readonly before: Workload;
  readonly after: Workload;
}

/** How a workload is scaled. */
interface ScaleOptions {
  readonly ifVersion?: string | undefined;
  readonly check?: (before: Workload) => void;
  readonly signal: AbortSignal | undefined;
}

/** Reads and writes of workloads on the API server itself, past every cache. */
export class WorkloadApi {
  readonly #cluster: Cluster;
  readonly #clock: Clock;
  /** Last read of each workload, by namespace and ref name. */
  readonly #read = new Map<string, Workload>();
  /** Highest generation of each workload that this process knows of, by uid. */
  readonly #generations = new Map<string, number>();

  constructor(cluster: Cluster, clock: Clock) {
    this.#cluster = cluster;
    this.#clock = clock;
  }

  /** A workload as it is now; undefined where there is none. */
  async read(ref: LocalRef, signal: AbortSignal | undefined): Promise<Workload | undefined> {
    try {
      const { kind } = objectOf(ref);
      const object = await this.#cluster.request<WorkloadObject>("GET", pathOf(ref), { signal });
      return this.#remember(ref, toWorkload(kind, object));
    } catch (error) {
      if (isScalerError(error) && error.code === "SCALER_NOT_FOUND") return undefined;
      throw error;
    }
  }

  /**
   * Writes the count, a new epoch and, for one or more, the count of the next wake, in one patch of the workload on the
   * resource version that was read. A change of mere status meanwhile is read again; one of the version is a conflict.
   *
   * @param options.check throws where the workload as it is read must not be scaled so
   */
  async scale(ref: LocalRef, replicas: number, { ifVersion, check, signal }: ScaleOptions): Promise<Scaled> {
    const remembered = this.#read.get(keyOf(ref));
    let before =
      remembered !== undefined && formatVersion(versionOf(remembered.metadata)) === ifVersion ? remembered : undefined;
    for (let tries = 0; tries < mostTries; tries += 1) {
      before ??= await this.read(ref, signal);
      if (before === undefined) throw notFound(ref);
      const version = formatVersion(versionOf(before.metadata));
      if (ifVersion !== undefined && version !== ifVersion)
        throw new ScalerError(
          "SCALER_CONFLICT",
          `${ref.namespace}/${ref.name} has version ${version}, not ${ifVersion}`,
        );
      check?.(before);
      const after = await this.#patch(ref, before, replicas, signal);
      if (after !== undefined) return { before, after };
      before = undefined;
      await this.#clock.sleep(backoffMs(tries, { firstMs: 5, longestMs: 200 }), signal);
    }
    throw new ScalerError(
      "SCALER_UNAVAILABLE",
      `${ref.namespace}/${ref.name} changed all the time; ${String(mostTries)} writes were refused`,
    );
  }

  /** Resolves once the API server has answered from its store; a list from memory says nothing about now without. */
  async confirm(namespace: string | undefined, signal: AbortSignal | undefined): Promise<void> {
    const path = apiPath("apps/v1", "deployments", namespace === undefined ? {} : { namespace });
    await this.#cluster.request("GET", path, { query: { limit: 1 }, signal });
  }

  /** Takes away every annotation that this scaler wrote, if there is one. */
  async forget({ kind, metadata }: Workload, signal: AbortSignal | undefined): Promise<void> {
    const { epoch, wakeReplicas } = workloadAnnotations;
    if (metadata.annotations?.[epoch] === undefined && metadata.annotations?.[wakeReplicas] === undefined) return;
    const body = { metadata: { annotations: { [epoch]: null, [wakeReplicas]: null } } };
    await this.#cluster.request("PATCH", pathOf(refOf({ kind, metadata })), { ...mergePatch, body, signal });
  }

  /** Writes the count of the next wake, on the workload that was read; its version stays as it is. */
  async rememberCount({ kind, metadata }: Workload, count: number, signal: AbortSignal | undefined): Promise<void> {
    const { uid, resourceVersion } = metadata;
    const annotations = { [workloadAnnotations.wakeReplicas]: String(count) };
    const body = { metadata: { uid, resourceVersion, annotations } };
    await this.#cluster.request("PATCH", pathOf(refOf({ kind, metadata })), { ...mergePatch, body, signal });
  }

  /** The highest generation of a workload that this process has seen, be it by an answer or by the watch. */
  knownGeneration({ metadata: { uid, generation = 0 } }: Workload): number {
    const known = Math.max(this.#generations.get(uid) ?? 0, generation);
    this.#noteGeneration(uid, known);
    return known;
  }

  /** Whether the controllers have acted on a generation: whatever an earlier count was to end, has its end on record. */
  async isObserved(ref: LocalRef, generation: number, signal: AbortSignal | undefined): Promise<boolean> {
    const workload = await this.read(ref, signal);
    if (workload === undefined) throw notFound(ref);
    const { metadata, status } = workload;
    if ((metadata.generation ?? 0) < generation || (status.observedGeneration ?? 0) < (metadata.generation ?? 0))
      return false;
    if (workload.kind === "StatefulSet") return true;
    const path = apiPath("apps/v1", "replicasets", { namespace: ref.namespace });
    const { items = [] } = await this.#cluster.request<{ readonly items?: readonly ReplicaSetObject[] }>("GET", path, {
      query: { labelSelector: selectorText(workload) },
      signal,
    });
    return items
      .filter((each) => each.metadata.ownerReferences?.some(({ uid }) => uid === metadata.uid) === true)
      .every((each) => (each.status?.observedGeneration ?? 0) >= (each.metadata.generation ?? 0));
  }

  /** A workload's pods as they are now. */
  async pods(workload: Workload, signal: AbortSignal | undefined): Promise<readonly PodObject[]> {
    const path = apiPath("v1", "pods", { namespace: workload.metadata.namespace });
    const { items } = await this.#cluster.request<{ readonly items?: readonly PodObject[] }>("GET", path, {
      query: { labelSelector: selectorText(workload) },
      signal,
    });
    return items ?? [];
  }

  /** The last thing that a workload's controller could not do, where it says so in an Event only (StatefulSets). */
  async lastCreationProblem(workload: Workload, signal: AbortSignal | undefined): Promise<string | undefined> {
    const path = apiPath("v1", "events", { namespace: workload.metadata.namespace });
    const { items = [] } = await this.#cluster.request<{
      readonly items?: readonly { readonly message?: string; readonly lastTimestamp?: string | null }[];
    }>("GET", path, {
      query: { fieldSelector: `involvedObject.uid=${workload.metadata.uid},reason=FailedCreate`, limit: 50 },
      signal,
    });
    const [last] = items.toSorted((one, other) => (other.lastTimestamp ?? "").localeCompare(one.lastTimestamp ?? ""));
    return last?.message;
  }

  async #patch(
    ref: LocalRef,
    before: Workload,
    replicas: number,
    signal: AbortSignal | undefined,
  ): Promise<Workload | undefined> {
    const { kind } = objectOf(ref);
    const epoch = nextEpoch(epochOf(before.metadata.annotations), this.#clock.now());
    const annotations = {
      [workloadAnnotations.epoch]: String(epoch),
      ...(replicas >= 1 && { [workloadAnnotations.wakeReplicas]: String(replicas) }),
    };
    const { uid, resourceVersion } = before.metadata;
    const body = { metadata: { uid, resourceVersion, annotations }, spec: { replicas } };
    this.#read.delete(keyOf(ref));
    try {
      const object = await this.#cluster.request<WorkloadObject>("PATCH", pathOf(ref), { ...mergePatch, body, signal });
      return this.#remember(ref, toWorkload(kind, object));
    } catch (error) {
      if (isScalerError(error) && error.code === "SCALER_CONFLICT") return undefined;
      throw error;
    }
  }

  #remember(ref: LocalRef, workload: Workload): Workload {
    const key = keyOf(ref);
    this.#read.delete(key);
    this.#read.set(key, workload);
    const [oldest] = this.#read.keys();
    if (this.#read.size > mostRemembered && oldest !== undefined) this.#read.delete(oldest);
    this.knownGeneration(workload);
    return workload;
  }

  #noteGeneration(uid: string, generation: number): void {
    this.#generations.delete(uid);
    this.#generations.set(uid, generation);
    const [oldest] = this.#generations.keys();
    if (this.#generations.size > 100_000 && oldest !== undefined) this.#generations.delete(oldest);
  }
}

/** What every patch of ours has. */
export const mergePatch = { contentType: "application/merge-patch+json", query: { fieldManager } } as const;

/** `SCALER_NOT_FOUND` for a workload. */
export function notFound(ref: LocalRef): ScalerError {
  const { kind, namespace, name } = objectOf(ref);
  return new ScalerError("SCALER_NOT_FOUND", `there is no ${kind} ${namespace}/${name} that this scaler manages`);
}

function pathOf(ref: LocalRef): string {
  const { kind, namespace, name } = objectOf(ref);
  return apiPath("apps/v1", pluralOf(kind), { namespace, name });
}

function keyOf({ namespace, name }: LocalRef): string {
  return `${namespace}/${name}`;
}

/** The labels alone: expressions narrow it further, and owners are compared besides. */
function selectorText({ spec }: Workload): string {
  return Object.entries(spec.selector.matchLabels ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
}
