import type { Target } from "@dormouse/core";
import { type MemoryInstance, MemoryPlatform } from "../memory/memory-platform.ts";
import { toTarget } from "../memory/memory-scaler.ts";
import { type Mutant, scalerMutant } from "./mutant.ts";

const faithful = MemoryPlatform.prototype;

export const targetMutants: readonly Mutant[] = [
  scalerMutant("targets/empty-when-asleep", "lists the address that the resource will have", (scaler, platform) => ({
    async resolveTargets(ref, port, options) {
      const targets = await scaler.resolveTargets(ref, port, options);
      const isUntouched = platform.find(ref).epoch === 1;
      return isUntouched ? [{ id: "web", host: "web.internal", port: 8080 }] : targets;
    },
  })),
  changedTargets("targets/reachable-in-the-end", "never lists anything", () => []),
  changedTargets("targets/one-for-each-replica", "lists the first instance only", (targets) => targets.slice(0, 1)),
  changedTargets("targets/form", "has a probe whose path is none", (targets) =>
    targets.map((target) => ({ ...target, probe: { path: "healthz" } })),
  ),
  scalerMutant("targets/ids-stay", "makes up a new id with every call", (scaler) => {
    let calls = 0;
    return {
      async resolveTargets(ref, port, options) {
        calls += 1;
        return (await scaler.resolveTargets(ref, port, options)).map((target) => ({
          ...target,
          id: `${target.id}-${String(calls)}`,
        }));
      },
    };
  }),
  scalerMutant("targets/ids-not-given-again", "numbers instances from zero after each stop", (_, platform) => {
    platform.start = (record) => {
      faithful.start.call(platform, record);
      const started = record.instances.pop();
      const used = new Set(record.instances.map(({ id }) => id));
      let slot = 0;
      while (used.has(`${record.ref.name}-${String(slot)}`)) slot += 1;
      if (started !== undefined)
        record.instances.push(Object.assign(started, { id: `${record.ref.name}-${String(slot)}` }));
    };
  }),
  scalerMutant("targets/first-port-by-default", "takes the last port where none is named", (scaler) => ({
    resolveTargets: async (ref, port, options) => scaler.resolveTargets(ref, port ?? "admin", options),
  })),
  scalerMutant("targets/kept-on-same-count", "restarts on every write", (_, platform) => {
    platform.write = (record, count) => {
      const isSame = record.count === count;
      const version = faithful.write.call(platform, record, count);
      if (isSame) for (const instance of record.instances) platform.stop(record, instance);
      platform.reconcile(record);
      return version;
    };
  }),
  stoppingListed("targets/none-after-a-stop", "lists what still runs after a stop", (count) => count === 0, true),
  stoppingListed(
    "targets/none-from-before-a-stop",
    "lists after a wake what the stop is ending",
    (count) => count > 0,
    true,
  ),
  stoppingListed(
    "targets/survive-a-smaller-count",
    "lists what a smaller count is ending",
    (count) => count > 0,
    false,
  ),
  scalerMutant("targets/answer-while-starting", "waits for the first instance", (scaler, platform) => ({
    async resolveTargets(ref, port, options) {
      for (;;) {
        const targets = await scaler.resolveTargets(ref, port, options);
        const record = platform.find(ref);
        if (targets.length > 0 || record.count === 0 || record.failure !== undefined) return targets;
        await platform.clock.sleep(1, scaler.signalOf(options));
      }
    },
  })),
  scalerMutant("targets/forget-the-dead", "believes in an instance until it has stopped it itself", (_, platform) => {
    platform.crash = () => {};
  }),
];

function changedTargets(
  breaks: string,
  how: string,
  change: (targets: readonly Target[]) => readonly Target[],
): Mutant {
  return scalerMutant(breaks, how, (scaler) => ({
    resolveTargets: async (ref, port, options) => change(await scaler.resolveTargets(ref, port, options)),
  }));
}

/** Lists instances whose stop was accepted: those that a count of zero is ending, or those that a smaller count is. */
function stoppingListed(breaks: string, how: string, when: (count: number) => boolean, byZero: boolean): Mutant {
  return scalerMutant(breaks, how, (scaler, platform) => {
    const ending = new WeakSet<MemoryInstance>();
    platform.stop = (record, instance) => {
      if ((record.count === 0) === byZero) ending.add(instance);
      faithful.stop.call(platform, record, instance);
    };
    return {
      async resolveTargets(ref, port, options) {
        const targets = await scaler.resolveTargets(ref, port, options);
        const { instances, count } = platform.find(ref);
        const ended = when(count) ? instances.filter((instance) => ending.has(instance)) : [];
        return [...targets, ...ended.map((instance) => toTarget(instance, port))];
      },
    };
  });
}
