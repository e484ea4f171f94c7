import { ScalerError } from "@dormouse/core";
import { keyOf, MemoryPlatform, stopMs } from "../memory/memory-platform.ts";
import type { MemoryScaler } from "../memory/memory-scaler.ts";
import { type Mutant, scalerMutant } from "./mutant.ts";

const faithful = MemoryPlatform.prototype;

export const raceMutants: readonly Mutant[] = [
  scalerMutant("races/a-version-for-each-call", "merges overlapping calls that wish the same", (scaler) => {
    const running = new Map<string, ReturnType<MemoryScaler["setScale"]>>();
    return {
      async setScale(ref, replicas, options) {
        if (options?.signal !== undefined || options?.ifVersion !== undefined)
          return scaler.setScale(ref, replicas, options);
        const key = `${keyOf(ref)} ${String(replicas)}`;
        const shared = running.get(key) ?? scaler.setScale(ref, replicas).finally(() => running.delete(key));
        running.set(key, shared);
        return shared;
      },
    };
  }),
  scalerMutant(
    "races/ends-as-the-last-one-wished",
    "loses the count of a call that overlaps another",
    (scaler, platform) => {
      let writing = 0;
      platform.write = (record, count) => faithful.write.call(platform, record, writing > 1 ? record.count : count);
      return {
        async setScale(ref, replicas, options) {
          writing += ref.name === "web" ? 1 : 0;
          try {
            return await scaler.setScale(ref, replicas, options);
          } finally {
            writing -= ref.name === "web" ? 1 : 0;
          }
        },
      };
    },
  ),
  scalerMutant("races/reads-while-scaling", "is busy while it writes", (scaler) => {
    let isWriting = false;
    return {
      async setScale(ref, replicas, options) {
        isWriting = true;
        return scaler.setScale(ref, replicas, options).finally(() => {
          isWriting = false;
        });
      },
      async getResource(ref, options) {
        if (isWriting) throw new ScalerError("SCALER_INTERNAL", "busy");
        return scaler.getResource(ref, options);
      },
    };
  }),
  scalerMutant(
    "races/wake-right-after-a-stop",
    "writes the count of a stop again once it has finished",
    (_, platform) => {
      platform.stop = (record, instance) => {
        const isStop = record.count === 0 && instance.phase === "ready";
        const writeAgain = (): void => void (record.count = 0);
        if (isStop) platform.clock.setTimer(stopMs, writeAgain);
        faithful.stop.call(platform, record, instance);
      };
    },
  ),
  scalerMutant("races/stop-while-starting", "lets a start go on that was stopped", (_, platform) => {
    platform.stop = (record, instance) => {
      if (instance.phase !== "starting") faithful.stop.call(platform, record, instance);
    };
  }),
  scalerMutant("races/two-at-once", "starts one resource at a time, and forgets the rest", (_, platform) => {
    platform.start = (record) => {
      const others = [...platform.records.values()].filter((each) => each !== record);
      const isBusy = others.some(({ instances }) => instances.some(({ phase }) => phase === "starting"));
      if (!isBusy) faithful.start.call(platform, record);
    };
  }),
];
