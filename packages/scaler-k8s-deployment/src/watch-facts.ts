import type { Clock, LocalRef, Milliseconds, Resource, ResourceChange } from "@dormouse/core";
import type { WatchedCluster } from "./watched-cluster.ts";
import type { Workload } from "./workload.ts";

/** How often it is checked that the watch is not behind, while nothing changes. */
const checkEveryMs: Milliseconds = 5_000;

/** What a watch of resources is made from. */
export interface WatchFactsOptions {
  readonly watched: WatchedCluster;
  readonly clock: Clock;
  readonly signal: AbortSignal | undefined;
  /** Throws where what is known is too old. */
  readonly check: () => void;
  /** Undefined: nothing is to be said of it. */
  readonly read: (workload: Workload) => Resource | undefined;
}

/** A snapshot, then each workload's resource as it changes; many changes at once are one. */
export async function* watchFacts({
  watched,
  clock,
  signal,
  check,
  read,
}: WatchFactsOptions): AsyncGenerator<ResourceChange> {
  await watched.whenSynced(signal);
  const changed = new Map<string, LocalRef>();
  let wakeUp = (): void => {};
  const subscription = watched.subscribe((refs) => {
    for (const ref of refs) changed.set(keyOf(ref), ref);
    wakeUp();
  });
  try {
    check();
    const resources = watched.workloads().flatMap((workload) => read(workload) ?? []);
    const listed = new Set(resources.map(({ ref }) => keyOf(ref)));
    yield { kind: "snapshot", resources };
    while (signal?.aborted !== true) {
      check();
      for (const [key, ref] of changed) {
        changed.delete(key);
        const workload = watched.workload(ref);
        const resource = workload === undefined ? undefined : read(workload);
        if (resource !== undefined) {
          listed.add(key);
          yield { kind: "set", resource };
        } else if (listed.delete(key)) yield { kind: "gone", ref };
      }
      if (changed.size === 0) await pause();
    }
  } finally {
    subscription[Symbol.dispose]();
  }

  function pause(): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        timer.cancel();
        signal?.removeEventListener("abort", end);
        wakeUp = () => {};
        resolve();
      };
      const timer = clock.setTimer(checkEveryMs, end, { unref: true });
      signal?.addEventListener("abort", end, { once: true });
      wakeUp = end;
    });
  }
}

function keyOf({ namespace, name }: LocalRef): string {
  return `${namespace}/${name}`;
}
