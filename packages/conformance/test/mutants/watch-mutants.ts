import type { CallOptions, Resource, ResourceChange } from "@dormouse/core";
import { MemoryPlatform } from "../memory/memory-platform.ts";
import { MemoryScaler } from "../memory/memory-scaler.ts";
import { type Mutant, never, scalerMutant } from "./mutant.ts";

const faithful = MemoryPlatform.prototype;

export const watchMutants: readonly Mutant[] = [
  watching("watch/snapshot-first", "begins with a change", async function* (scaler, options) {
    const [resource] = await scaler.listResources(options);
    if (resource !== undefined) yield { kind: "set", resource };
    yield* scaler.watchResources(options);
  }),
  watching("watch/snapshot-is-whole", "leaves the last page out of the snapshot", async function* (scaler, options) {
    for await (const change of scaler.watchResources(options))
      yield change.kind === "snapshot" ? { ...change, resources: change.resources.slice(0, -1) } : change;
  }),
  changedSets("watch/shows-a-new-count", "shows a new count under the old version", (resource) =>
    resource.desired === 1 ? { ...resource, version: "1" } : resource,
  ),
  changedSets("watch/shows-readiness", "never shows what is ready", (resource) => ({ ...resource, ready: 0 })),
  scalerMutant("watch/shows-a-change-elsewhere", "tells its own writes only", (_, platform) => {
    platform.touch = (record) => {
      const { listeners } = platform;
      const told = [...listeners];
      listeners.clear();
      faithful.touch.call(platform, record);
      for (const listener of told) listeners.add(listener);
    };
  }),
  watching("watch/shows-what-is-gone", "never tells that something is gone", async function* (scaler, options) {
    for await (const change of scaler.watchResources(options)) if (change.kind !== "gone") yield change;
  }),
  changedSets("watch/agrees-with-get", "maps ports otherwise than getResource", (resource) => ({
    ...resource,
    ports: resource.ports.slice(0, 1),
  })),
  scalerMutant("watch/catches-up", "drops what is new when its buffer is full", (scaler, platform) => ({
    async *watchResources(options) {
      const buffer: ResourceChange[] = [];
      const listener = (key: string): void => {
        if (buffer.length < 2) buffer.push(scaler.changeOf(key));
      };
      platform.listeners.add(listener);
      yield { kind: "snapshot", resources: await scaler.listResources(options) };
      const signal = scaler.signalOf(options);
      while (!signal.aborted) {
        const change = buffer.shift();
        if (change === undefined) await platform.clock.sleep(1, signal);
        else yield change;
      }
    },
  })),
  scalerMutant("watch/watchers-stand-alone", "ends all watchers with the first", (scaler) => {
    const shared = new AbortController();
    return {
      async *watchResources(options) {
        const signals = [shared.signal, ...(options?.signal === undefined ? [] : [options.signal])];
        try {
          yield* scaler.watchResources({ signal: AbortSignal.any(signals) });
        } finally {
          shared.abort();
        }
      },
    };
  }),
  scalerMutant("watch/ends-on-abort", "does not look at the signal", (scaler) => ({
    watchResources: () => scaler.watchResources(),
  })),
  scalerMutant("watch/ends-on-leave", "never finishes when its reader leaves", (scaler) => ({
    watchResources: (options) => ({
      [Symbol.asyncIterator]: () => {
        const changes = scaler.watchResources(options);
        return { next: async () => changes.next(), return: never };
      },
    }),
  })),
  scalerMutant("watch/ends-on-dispose", "goes on when the scaler is disposed", (scaler) => {
    const undisposed = new MemoryScaler(scaler.platform);
    return { watchResources: (options) => undisposed.watchResources(options) };
  }),
];

type Watch = (scaler: MemoryScaler, options: CallOptions | undefined) => AsyncIterable<ResourceChange>;

function watching(breaks: string, how: string, watch: Watch): Mutant {
  return scalerMutant(breaks, how, (scaler) => ({ watchResources: (options) => watch(scaler, options) }));
}

function changedSets(breaks: string, how: string, change: (resource: Resource) => Resource): Mutant {
  return watching(breaks, how, async function* (scaler, options) {
    for await (const each of scaler.watchResources(options))
      yield each.kind === "set" ? { kind: "set", resource: change(each.resource) } : each;
  });
}
