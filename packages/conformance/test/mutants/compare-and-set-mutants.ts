import { ScalerError } from "@dormouse/core";
import { latencyMs, MemoryPlatform, type MemoryRecord } from "../memory/memory-platform.ts";
import type { MemoryScaler } from "../memory/memory-scaler.ts";
import { type Mutant, scalerMutant } from "./mutant.ts";

const faithful = MemoryPlatform.prototype;

type Compare = (record: MemoryRecord, ifVersion: string, compare: () => void) => void;

export const compareAndSetMutants: readonly Mutant[] = [
  scalerMutant("cas/accepts-the-current-version", "refuses where nothing would change", (scaler, platform) => ({
    async setScale(ref, replicas, options) {
      const { count } = platform.records.get(`${ref.namespace}/${ref.name}`) ?? {};
      if (options?.ifVersion !== undefined && count === 0 && replicas === 0) throw conflict();
      return scaler.setScale(ref, replicas, options);
    },
  })),
  comparing("cas/refuses-an-older-version", "gives a conflict another code", (_record, _ifVersion, compare) => {
    try {
      compare();
    } catch (cause) {
      throw new ScalerError("SCALER_INTERNAL", "HTTP 412", { cause });
    }
  }),
  comparing("cas/conflict-changes-nothing", "counts refused writes", (record, _ifVersion, compare) => {
    try {
      compare();
    } catch (error) {
      record.epoch += 1;
      throw error;
    }
  }),
  scalerMutant("cas/claim-refuses-the-stop", "compares the count only", (scaler, platform) => {
    const sinceNewCount = new Map<string, Set<string>>();
    platform.write = (record, count) => {
      const same = sinceNewCount.get(record.ref.name);
      const known = same !== undefined && record.count === count ? same : new Set<string>();
      const version = faithful.write.call(platform, record, count);
      sinceNewCount.set(record.ref.name, known.add(version));
      return version;
    };
    comparesBy(scaler, (record, ifVersion, compare) => {
      if (sinceNewCount.get(record.ref.name)?.has(ifVersion) !== true) compare();
    });
  }),
  scalerMutant("cas/status-refuses-nothing", "compares the whole object, status included", (scaler, platform) => {
    const readySince = new Map<string, number>();
    platform.finishStart = (record, instance) => {
      faithful.finishStart.call(platform, record, instance);
      if (instance.phase === "ready") readySince.set(record.ref.name, record.epoch);
    };
    comparesBy(scaler, (record, _ifVersion, compare) => {
      compare();
      if (readySince.get(record.ref.name) === record.epoch) throw conflict();
    });
  }),
  scalerMutant("cas/change-elsewhere-refuses", "compares with its own writes only", (scaler, platform) => {
    const foreign = new Map<string, string>();
    platform.touch = (record) => {
      const before = platform.versionOf(record);
      faithful.touch.call(platform, record);
      foreign.set(platform.versionOf(record), before);
    };
    comparesBy(scaler, (record, ifVersion, compare) => {
      if (foreign.get(platform.versionOf(record)) !== ifVersion) compare();
    });
  }),
  scalerMutant("cas/only-one-of-many-wins", "reads, compares, and writes then", (scaler, platform) => ({
    async setScale(ref, replicas, options) {
      if (options?.ifVersion === undefined) return scaler.setScale(ref, replicas, options);
      const { ifVersion, ...rest } = options;
      scaler.compare(platform.find(ref), ifVersion);
      await platform.clock.sleep(latencyMs, options.signal);
      return scaler.setScale(ref, replicas, rest);
    },
  })),
];

function comparing(breaks: string, how: string, compare: Compare): Mutant {
  return scalerMutant(breaks, how, (scaler) => comparesBy(scaler, compare));
}

function comparesBy(scaler: MemoryScaler, compare: Compare): void {
  const own = scaler.compare.bind(scaler);
  scaler.compare = (record, ifVersion) => compare(record, ifVersion, () => own(record, ifVersion));
}

function conflict(): ScalerError {
  return new ScalerError("SCALER_CONFLICT", "somebody else was there first");
}
