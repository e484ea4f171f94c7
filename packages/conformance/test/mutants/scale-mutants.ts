import type { Resource } from "@dormouse/core";
import { MemoryPlatform, type MemoryRecord } from "../memory/memory-platform.ts";
import { type Mutant, scalerMutant } from "./mutant.ts";

const faithful = MemoryPlatform.prototype;

export const scaleMutants: readonly Mutant[] = [
  scalerMutant(
    "scale/is-read-back-at-once",
    "reads the count from a cache for a while after a stop",
    (scaler, platform) => ({
      async getResource(ref, options) {
        const resource = await scaler.getResource(ref, options);
        const isFresh =
          resource !== undefined && resource.version !== "1" && platform.clock.now() - resource.updatedAt < 5;
        return isFresh && resource.desired === 0 ? { ...resource, desired: 1 } : resource;
      },
    }),
  ),
  factsMutant("scale/becomes-ready", "never counts an instance as ready", () => ({ ready: 0 })),
  factsMutant("scale/starts-every-replica", "counts one instance only", ({ ready }) => ({ ready: Math.min(ready, 1) })),
  scalerMutant("scale/ends-at-zero", "never ends what is ready", (_, platform) => {
    platform.stop = (record, instance) => {
      if (instance.phase === "ready") instance.phase = "stopping";
      else faithful.stop.call(platform, record, instance);
    };
  }),
  afterWrite("scale/stores-wake-replicas", "stores the highest count there ever was", (record, before) => {
    record.wakeReplicas = Math.max(before.wakeReplicas, record.wakeReplicas);
  }),
  afterWrite("scale/zero-keeps-wake-replicas", "stores zero like any other count", (record, _before, platform) => {
    const stored = platform.capabilities.replicas === "many" ? 1 : 0;
    if (record.count === 0) record.wakeReplicas = stored;
  }),
  afterWrite("scale/leaves-others-alone", "writes the whole group", (record, _before, platform) => {
    for (const other of platform.records.values()) if (other !== record) other.epoch += 1;
  }),
  scalerMutant("scale/resolves-when-accepted", "waits until everything runs", (scaler, platform) => ({
    async setScale(ref, replicas, options) {
      const accepted = await scaler.setScale(ref, replicas, options);
      const record = platform.find(ref);
      const isDone = (): boolean =>
        record.failure !== undefined ||
        record.count !== replicas ||
        record.instances.filter(({ phase }) => phase === "ready").length >= replicas;
      while (!isDone()) await platform.clock.sleep(1, scaler.signalOf(options));
      return accepted;
    },
  })),
  scalerMutant("scale/failure-is-told", "keeps failures to itself", (_, platform) => {
    platform.toResource = (record) => faithful.toResource.call(platform, { ...record, failure: undefined });
  }),
  scalerMutant("scale/same-count-tries-again", "does nothing where the count is already that", (_, platform) => {
    platform.write = (record, count) => {
      if (record.failure === undefined || record.count !== count) return faithful.write.call(platform, record, count);
      record.epoch += 1;
      return platform.versionOf(record);
    };
  }),
  afterWrite("scale/moves-updated-at", "keeps the time of creation", (record, before) => {
    record.updatedAt = before.updatedAt;
  }),
];

/** Maps the platform's facts wrongly. */
function factsMutant(breaks: string, how: string, wrong: (resource: Resource) => Partial<Resource>): Mutant {
  return scalerMutant(breaks, how, (_, platform) => {
    platform.toResource = (record) => {
      const resource = faithful.toResource.call(platform, record);
      return { ...resource, ...wrong(resource) };
    };
  });
}

type Spoil = (record: MemoryRecord, before: Readonly<MemoryRecord>, platform: MemoryPlatform) => void;

/** Spoils a record after each accepted count. */
function afterWrite(breaks: string, how: string, spoil: Spoil): Mutant {
  return scalerMutant(breaks, how, (_, platform) => {
    platform.write = (record, count) => {
      const before = { ...record };
      const version = faithful.write.call(platform, record, count);
      spoil(record, before, platform);
      return version;
    };
  });
}
