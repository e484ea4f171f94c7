import type { Logger } from "@dormouse/core";
import type { KubeObject } from "../kube-object.ts";
import type { InformerChange } from "./informer.ts";

interface Entry<T> {
  /** Resource version of the object behind it. */
  readonly version: string | undefined;
  readonly object: T;
}

/** What a store needs. */
export interface ObjectStoreOptions<T, Raw extends KubeObject> {
  readonly project: ((object: Raw) => T) | undefined;
  readonly logger: Logger;
}

/** The objects of one informer, and who listens to them. */
export class ObjectStore<T, Raw extends KubeObject> {
  readonly #options: ObjectStoreOptions<T, Raw>;
  readonly #entries = new Map<string, Entry<T>>();
  readonly #listeners = new Set<(change: InformerChange<T>) => void>();

  constructor(options: ObjectStoreOptions<T, Raw>) {
    this.#options = options;
  }

  list(): readonly T[] {
    return [...this.#entries.values()].map(({ object }) => object);
  }

  get(namespace: string, name: string): T | undefined {
    return this.#entries.get(keyOf(namespace, name))?.object;
  }

  subscribe(listener: (change: InformerChange<T>) => void): Disposable {
    // Of its own for each subscription, so that one function may listen twice.
    const own = (change: InformerChange<T>): void => listener(change);
    this.#listeners.add(own);
    return { [Symbol.dispose]: () => void this.#listeners.delete(own) };
  }

  set(raw: Raw): void {
    const key = keyOfObject(raw);
    const version = raw.metadata.resourceVersion;
    const before = this.#entries.get(key);
    if (before !== undefined && version !== undefined && before.version === version) return;
    const projected = this.#project(raw);
    if (projected === undefined) return this.#drop(key);
    this.#entries.set(key, { version, object: projected.object });
    this.#tell({ kind: "set", object: projected.object, ...(before !== undefined && { before: before.object }) });
  }

  delete(raw: KubeObject): void {
    this.#drop(keyOfObject(raw));
  }

  /** Ends a list: what was not in it is gone. */
  finishList(seen: ReadonlySet<string>): void {
    for (const key of this.#entries.keys()) if (!seen.has(key)) this.#drop(key);
    this.#tell({ kind: "synced" });
  }

  #drop(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#tell({ kind: "gone", object: entry.object });
  }

  #project(raw: Raw): { readonly object: T } | undefined {
    try {
      const { project } = this.#options;
      return { object: project === undefined ? (withoutManagedFields(raw) as unknown as T) : project(raw) };
    } catch (error) {
      this.#options.logger.error({ error, object: keyOfObject(raw) }, "an object of Kubernetes could not be read");
      return undefined;
    }
  }

  #tell(change: InformerChange<T>): void {
    for (const listener of this.#listeners) {
      try {
        listener(change);
      } catch (error) {
        this.#options.logger.error({ error }, "a listener of a Kubernetes informer failed");
      }
    }
  }
}

/** The same for the same object, whatever became of it. */
export function keyOfObject({ metadata }: KubeObject): string {
  return keyOf(metadata.namespace ?? "", metadata.name);
}

function keyOf(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}

/** Who wrote which field takes more room than the rest of most objects. */
function withoutManagedFields<Raw extends KubeObject>(raw: Raw): Raw {
  const { managedFields: _, ...metadata } = raw.metadata as Raw["metadata"] & { readonly managedFields?: unknown };
  return { ...raw, metadata };
}
