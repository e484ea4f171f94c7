import {
  type Capabilities,
  type Clock,
  defaultPolicy,
  defineScaler,
  type Policy,
  type ScalerPlugin,
} from "@dormouse/core";
import { z } from "zod";
import type { ScalerTest } from "../../src/scaler-test.ts";
import type { Hook, TestPlatform, Undo } from "../../src/test-platform.ts";
import { MemoryPlatform, type MemoryRecord, settleWithinMs } from "./memory-platform.ts";
import { MemoryScaler } from "./memory-scaler.ts";

const ref = { namespace: "default", name: "web" };
const other = { namespace: "default", name: "db" };

const optionsSchema = z.strictObject({ platform: z.instanceof(MemoryPlatform), names: z.array(z.string()) });
type MemoryOptions = z.output<typeof optionsSchema>;
export type MemoryPlugin = ScalerPlugin<MemoryOptions, MemoryScaler>;

/** A plugin that keeps every rule. */
export const memoryPlugin: MemoryPlugin = defineScaler({
  contract: 1,
  name: "memory",
  options: optionsSchema,
  create: async ({ platform }) => new MemoryScaler(platform),
  async reconfigure(scaler, { platform, names }, { defaults }) {
    for (const record of platform.records.values()) {
      record.policy = ownPolicy(defaults);
      if (names.includes(record.ref.name)) scaler.dropped.delete(`default/${record.ref.name}`);
      else scaler.dropped.add(`default/${record.ref.name}`);
    }
  },
});

/** Everything that a scaler in memory can declare, with whatever is said otherwise. */
export function capabilitiesWith(declared: Partial<Capabilities> = {}): Capabilities {
  return { replicas: "many", watch: true, routing: true, compareAndSet: true, settleWithinMs, ...declared };
}

/** A test of a plugin on a fresh platform for each rule, with every hook. */
export function memoryTest(
  clock: Clock,
  capabilities: Capabilities,
  plugin: ScalerPlugin = memoryPlugin,
): Omit<ScalerTest, "describe" | "it"> {
  return { plugin, clock, within: 10_000, open: async () => openMemory(new MemoryPlatform(clock, capabilities)) };
}

function openMemory(platform: MemoryPlatform): TestPlatform {
  for (const each of [ref, other]) platform.add(each, ownPolicy(defaultPolicy));
  return {
    options: { platform, names: ["web", "db"] },
    optionsWithoutOther: { platform, names: ["web"] },
    ref,
    other,
    reach: async (target) => platform.accepts(target),
    close: async () => {},
    changeElsewhere: async () => platform.touch(platform.find(ref)),
    breakStart: async () => flag(platform.find(ref), "isBroken"),
    holdStart: async () => flag(platform.find(ref), "isHeld"),
    stallPlatform: async () => flag(platform, "isStalled"),
    cutPlatform: async () => flag(platform, "isCut"),
    remove: async () => remove(platform, platform.find(ref)),
    endInstance: async ({ id }) => platform.crash(id),
    routedTo: async () => platform.find(ref).route,
  };
}

/** What the resources say themselves, over the defaults. */
function ownPolicy(defaults: Policy): Policy {
  return { ...defaults, idleAfter: 60_000 };
}

function flag<Key extends string>(owner: Record<Key, boolean>, key: Key): Undo {
  owner[key] = true;
  return async () => {
    owner[key] = false;
  };
}

function remove(platform: MemoryPlatform, record: MemoryRecord): Undo {
  platform.records.delete(`default/${record.ref.name}`);
  platform.changed(record);
  return async () => {
    platform.records.set(`default/${record.ref.name}`, record);
    platform.changed(record);
  };
}

/** The same platform in a harness that does not have these hooks. */
export function withoutHooks(platform: TestPlatform, hooks: readonly Hook[]): TestPlatform {
  const kept = Object.entries(platform).filter(([key]) => !hooks.some((hook) => hook === key));
  return Object.fromEntries(kept) as unknown as TestPlatform;
}
