import { z } from "zod";
import { defineScaler } from "../define-plugin.ts";
import type { GuardedScaler } from "../guard-scaler.ts";
import { silentLogger } from "../logger.ts";
import { openScaler } from "../open-scaler.ts";
import { defaultPolicy, policySchema } from "../policy.ts";
import { contractVersion } from "../resource-scaler.ts";
import { MemoryScaler, type MemoryScalerOptions } from "./memory-scaler.ts";

const memoryOptions = z.strictObject({
  resources: z
    .array(
      z.strictObject({
        name: z.string(),
        namespace: z.string().optional(),
        desired: z.int().nonnegative().optional(),
        wakeReplicas: z.int().positive().optional(),
        policy: policySchema.optional(),
      }),
    )
    .default([]),
  startMs: z.int().nonnegative().default(0),
  stopMs: z.int().nonnegative().default(0),
  capabilities: z
    .strictObject({
      replicas: z.enum(["one", "many"]),
      watch: z.boolean(),
      routing: z.boolean(),
      compareAndSet: z.boolean(),
      settleWithinMs: z.number().nonnegative(),
    })
    .partial()
    .optional(),
});

/** The plugin of `MemoryScaler`, as a package would export it. */
export const memoryPlugin = defineScaler({
  contract: contractVersion,
  name: "memory",
  options: memoryOptions,
  async create(options, context) {
    const { capabilities, ...rest } = options;
    return new MemoryScaler({
      ...rest,
      capabilities: withoutUndefined(capabilities ?? {}),
      clock: context.clock,
      defaults: context.defaults,
    });
  },
});

function withoutUndefined<Value extends object>(value: Value): { [Key in keyof Value]?: NonNullable<Value[Key]> } {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as {
    [Key in keyof Value]?: NonNullable<Value[Key]>;
  };
}

/**
 * A `MemoryScaler` and the host's guard around it, for tests that need a whole scaler.
 * @param id of the scaler in its host; `memory` by default
 */
export async function openMemoryScaler(
  options: MemoryScalerOptions,
  id = "memory",
): Promise<{ readonly memory: MemoryScaler; readonly guarded: GuardedScaler }> {
  const memory = new MemoryScaler(options);
  const plugin = { ...memoryPlugin, create: async () => memory };
  const defaults = options.defaults ?? { ...defaultPolicy, enabled: true };
  const guarded = await openScaler(plugin, {}, { id, logger: silentLogger, clock: options.clock, defaults });
  return { memory, guarded };
}
