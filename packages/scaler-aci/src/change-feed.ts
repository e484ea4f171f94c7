import { isDeepStrictEqual } from "node:util";
import type { LocalRef, Resource, ResourceChange } from "@dormouse/core";

interface Watcher {
  /** The newest change of each resource that has not been taken yet. */
  readonly pending: Map<string, ResourceChange>;
  wake: () => void;
}

/** Hands changes to any number of watchers. What says nothing new is no change; a slow watcher misses steps, never the last. */
export class ChangeFeed implements Disposable {
  readonly #watchers = new Set<Watcher>();
  readonly #last = new Map<string, Resource>();
  #isClosed = false;

  /** A resource is now like this. */
  set(resource: Resource): void {
    const key = keyOf(resource.ref);
    if (isDeepStrictEqual(this.#last.get(key), resource)) return;
    this.#last.set(key, resource);
    this.#tell(key, { kind: "set", resource });
  }

  /** A resource is not there any more. */
  gone(ref: LocalRef): void {
    this.#last.delete(keyOf(ref));
    this.#tell(keyOf(ref), { kind: "gone", ref });
  }

  /** All that `list` has now, then each change, until the signal aborts or the feed is closed. */
  async *watch(list: () => readonly Resource[], signal: AbortSignal | undefined): AsyncGenerator<ResourceChange> {
    const watcher: Watcher = { pending: new Map(), wake: () => {} };
    const onAbort = (): void => watcher.wake();
    this.#watchers.add(watcher);
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      yield { kind: "snapshot", resources: list() };
      while (!this.#isClosed && signal?.aborted !== true) {
        const changes = [...watcher.pending.values()];
        watcher.pending.clear();
        if (changes.length > 0) yield* changes;
        else await new Promise<void>((resolve) => (watcher.wake = resolve));
      }
    } finally {
      signal?.removeEventListener("abort", onAbort);
      this.#watchers.delete(watcher);
    }
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    for (const watcher of this.#watchers) watcher.wake();
  }

  #tell(key: string, change: ResourceChange): void {
    for (const watcher of this.#watchers) {
      watcher.pending.set(key, change);
      watcher.wake();
    }
  }
}

function keyOf({ namespace, name }: LocalRef): string {
  return `${namespace}/${name}`;
}
