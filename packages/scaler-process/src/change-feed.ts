import type { LocalRef, Resource, ResourceChange } from "@dormouse/core";

interface Watcher {
  /** The latest change of each resource that the watcher has not taken yet. */
  readonly pending: Map<string, ResourceChange>;
  wake: () => void;
}

/** Tells any number of watchers what changed. A slow one misses steps, never the last one. */
export class ChangeFeed implements Disposable {
  readonly #watchers = new Set<Watcher>();
  #isClosed = false;

  /** Says that a resource is now like this. */
  set(resource: Resource): void {
    this.#publish(resource.ref, { kind: "set", resource });
  }

  /** Says that a resource is not listed any more. */
  gone(ref: LocalRef): void {
    this.#publish(ref, { kind: "gone", ref });
  }

  /** What `list` returns now, then each change, until the signal aborts or the feed is disposed. */
  async *watch(list: () => readonly Resource[], signal: AbortSignal | undefined): AsyncGenerator<ResourceChange> {
    const watcher: Watcher = { pending: new Map(), wake: () => {} };
    const onAbort = (): void => watcher.wake();
    this.#watchers.add(watcher);
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      yield { kind: "snapshot", resources: list() };
      while (!this.#isClosed && signal?.aborted !== true) {
        if (watcher.pending.size === 0) await new Promise<void>((resolve) => (watcher.wake = resolve));
        else yield* takeAll(watcher.pending);
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

  #publish({ namespace, name }: LocalRef, change: ResourceChange): void {
    for (const watcher of this.#watchers) {
      watcher.pending.set(`${namespace}/${name}`, change);
      watcher.wake();
    }
  }
}

function takeAll(pending: Map<string, ResourceChange>): readonly ResourceChange[] {
  const changes = [...pending.values()];
  pending.clear();
  return changes;
}
