import { MemoryPlatform, type MemoryRecord } from "../memory/memory-platform.ts";
import { type Mutant, scalerMutant } from "./mutant.ts";

const faithful = MemoryPlatform.prototype;

export const versionMutants: readonly Mutant[] = [
  scalerMutant("version/is-text", "gives a number", (_, platform) => {
    platform.toResource = (record) => {
      const resource = faithful.toResource.call(platform, record);
      return record.ref.name === "db" ? { ...resource, version: record.epoch as unknown as string } : resource;
    };
  }),
  stillOn(
    "version/moves-on-new-count",
    "hashes the specification without the count",
    (before, count) => before.count !== count,
  ),
  stillOn(
    "version/moves-on-same-count",
    "writes nothing where the count is already that",
    (before, count) => before.count === count && count > 0,
  ),
  stillOn(
    "version/moves-on-zero-again",
    "writes nothing where nothing runs",
    (before, count) => before.count === count && count === 0,
  ),
  scalerMutant("version/is-the-calls-own", "resolves with the version from before the write", (scaler, platform) => ({
    async setScale(ref, replicas, options) {
      let before = "";
      const write = platform.write;
      platform.write = (record, count) => {
        before = platform.versionOf(record);
        platform.write = write;
        return faithful.write.call(platform, record, count);
      };
      await scaler.setScale(ref, replicas, options);
      return { version: before };
    },
  })),
  scalerMutant("version/still-when-read", "counts lists in the version", (scaler, platform) => ({
    async listResources(options) {
      const record = platform.records.get("default/web");
      if (record !== undefined) record.epoch += 1;
      return scaler.listResources(options);
    },
  })),
  scalerMutant("version/still-on-status", "takes the version of the whole object, status included", (_, platform) => {
    platform.finishStart = (record, instance) => {
      const wasReady = instance.phase === "ready";
      faithful.finishStart.call(platform, record, instance);
      if (!wasReady && instance.phase === "ready") record.epoch += 1;
    };
  }),
  scalerMutant("version/still-on-crash", "counts restarts in the version", (_, platform) => {
    platform.crash = (id) => {
      const record = [...platform.records.values()].find(({ instances }) => instances.some((each) => each.id === id));
      faithful.crash.call(platform, id);
      if (record !== undefined) record.epoch += 1;
    };
  }),
  scalerMutant("version/moves-on-change-elsewhere", "counts its own writes only", (_, platform) => {
    platform.touch = () => {};
  }),
  scalerMutant("version/never-comes-back", "counts to nine", (_, platform) => {
    platform.versionOf = ({ epoch }) => String(epoch % 9);
  }),
];

/** Leaves the version alone on some of the accepted writes. */
function stillOn(breaks: string, how: string, isStill: (before: MemoryRecord, count: number) => boolean): Mutant {
  return scalerMutant(breaks, how, (_, platform) => {
    platform.write = (record, count) => {
      const { epoch } = record;
      const keeps = isStill({ ...record }, count);
      faithful.write.call(platform, record, count);
      if (keeps) record.epoch = epoch;
      return platform.versionOf(record);
    };
  });
}
