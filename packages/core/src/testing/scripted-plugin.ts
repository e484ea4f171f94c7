import { z } from "zod";
import { defineScaler } from "../define-plugin.ts";
import type { GuardedScaler, GuardLimits } from "../guard-scaler.ts";
import { silentLogger } from "../logger.ts";
import { openScaler } from "../open-scaler.ts";
import { defaultPolicy } from "../policy.ts";
import type { Capabilities, Resource, ResourceScaler, ScalerPlugin } from "../resource-scaler.ts";
import { FakeClock } from "./fake-clock.ts";

/** A resource of the contract's form, for tests that break it. */
export const someResource: Resource = {
  ref: { namespace: "default", name: "web" },
  desired: 1,
  ready: 1,
  wakeReplicas: 1,
  version: "v1",
  ports: [{ name: "http", number: 80, protocol: "http" }],
  policy: defaultPolicy,
  createdAt: 1_000,
  updatedAt: 2_000,
};

/** A scaler that does what a test says and nothing else. */
export function scriptedScaler(
  methods: Partial<ResourceScaler>,
  capabilities: Partial<Capabilities> = {},
): ResourceScaler {
  return {
    capabilities: {
      replicas: "many",
      watch: false,
      routing: false,
      compareAndSet: true,
      settleWithinMs: 0,
      ...capabilities,
    },
    listResources: async () => [],
    getResource: async () => undefined,
    setScale: async () => ({ version: "v1" }),
    resolveTargets: async () => [],
    [Symbol.asyncDispose]: async () => {},
    ...methods,
  };
}

/** The plugin of a scripted scaler; what else a test wants goes over it. */
export function scriptedPlugin(scaler: ResourceScaler, over: Partial<ScalerPlugin> = {}): ScalerPlugin {
  return {
    ...defineScaler({
      contract: 1,
      name: "scripted",
      options: z.strictObject({ port: z.int().optional() }),
      create: async () => scaler,
    }),
    ...over,
  };
}

/** A scripted scaler behind the guard, with its clock. */
export async function openScripted(
  methods: Partial<ResourceScaler>,
  capabilities: Partial<Capabilities> = {},
  over: Partial<ScalerPlugin> = {},
  limits: GuardLimits = {},
): Promise<{ readonly guarded: GuardedScaler; readonly clock: FakeClock }> {
  const clock = new FakeClock();
  const context = { id: "local", logger: silentLogger, clock, defaults: defaultPolicy };
  const guarded = await openScaler(scriptedPlugin(scriptedScaler(methods, capabilities), over), {}, context, limits);
  return { guarded, clock };
}
