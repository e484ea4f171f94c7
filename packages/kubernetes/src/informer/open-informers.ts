import type { Milliseconds, ScalerError } from "@dormouse/core";
import type { Cluster } from "../cluster/cluster.ts";
import type { KubeObject } from "../kube-object.ts";
import type { Informer, InformerOptions } from "./informer.ts";
import { openInformer } from "./open-informer.ts";

/** The same collection in several namespaces. */
export interface InformersOptions<T, Raw extends KubeObject = KubeObject> extends Omit<
  InformerOptions<T, Raw>,
  "namespace"
> {
  /** Left out: one informer for all namespaces. */
  readonly namespaces: readonly string[] | undefined;
}

/** One informer over several namespaces, each followed by itself: as fresh as its oldest part, synced once all are. */
export function openInformers<T = KubeObject, Raw extends KubeObject = KubeObject>(
  cluster: Cluster,
  { namespaces, ...options }: InformersOptions<T, Raw>,
): Informer<T> {
  if (namespaces === undefined) return openInformer(cluster, options);
  const parts = [...new Set(namespaces)].map(
    (namespace) => [namespace, openInformer(cluster, { ...options, namespace })] as const,
  );
  return new MergedInformer(new Map(parts));
}

class MergedInformer<T> implements Informer<T> {
  readonly #parts: ReadonlyMap<string, Informer<T>>;
  /** Parts whose first list is still to come. */
  readonly #unsynced: Set<string>;

  constructor(parts: ReadonlyMap<string, Informer<T>>) {
    this.#parts = parts;
    this.#unsynced = new Set(parts.keys());
    // First of all listeners, so that the others find the last part counted.
    for (const [namespace, part] of parts) {
      part.subscribe(({ kind }) => {
        if (kind === "synced") this.#unsynced.delete(namespace);
      });
    }
  }

  list(): readonly T[] {
    return [...this.#parts.values()].flatMap((part) => part.list());
  }

  get(namespace: string, name: string): T | undefined {
    return this.#parts.get(namespace)?.get(namespace, name);
  }

  get problem(): ScalerError | undefined {
    return [...this.#parts.values()].map((part) => part.problem).find((problem) => problem !== undefined);
  }

  get freshForMs(): Milliseconds {
    return Math.max(0, ...[...this.#parts.values()].map((part) => part.freshForMs));
  }

  async whenSynced(signal?: AbortSignal): Promise<void> {
    await Promise.all([...this.#parts.values()].map((part) => part.whenSynced(signal)));
  }

  /** Hears `synced` only once every part has had its first list, then after each renewed one. */
  subscribe(listener: Parameters<Informer<T>["subscribe"]>[0]): Disposable {
    const subscriptions = [...this.#parts.values()].map((part) =>
      part.subscribe((change) => {
        if (change.kind !== "synced" || this.#unsynced.size === 0) listener(change);
      }),
    );
    return {
      [Symbol.dispose]: () => {
        for (const subscription of subscriptions) subscription[Symbol.dispose]();
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#parts.values()].map((part) => part[Symbol.asyncDispose]()));
  }
}
