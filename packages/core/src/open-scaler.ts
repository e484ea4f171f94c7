import { closeQuietly } from "./close-quietly.ts";
import { GuardedCalls } from "./guarded-calls.ts";
import { type GuardedScaler, type GuardLimits, guardScaler } from "./guard-scaler.ts";
import { parsePluginOptions, toOpenError } from "./plugin-options.ts";
import type { Capabilities, ResourceScaler, ScalerContext, ScalerPlugin } from "./resource-scaler.ts";
import { ScalerError } from "./scaler-error.ts";

/**
 * Opens an instance of a plugin, once, behind the host's guard.
 *
 * @param rawOptions as configuration writes them; read by the plugin's own schema
 * @throws ConfigError where the options are wrong, with places below `limits.place`; ScalerError `PLUGIN_INVALID` where
 *   the instance lacks what its capabilities promise, `SCALER_TIMEOUT` where it does not open in time, else the plugin's own
 */
export async function openScaler(
  plugin: ScalerPlugin,
  rawOptions: unknown,
  context: ScalerContext,
  limits: GuardLimits = {},
): Promise<GuardedScaler> {
  const complete: Required<GuardLimits> = {
    callTimeoutMs: limits.callTimeoutMs ?? 10_000,
    openTimeoutMs: limits.openTimeoutMs ?? 30_000,
    disposeTimeoutMs: limits.disposeTimeoutMs ?? 60_000,
    place: limits.place ?? context.id,
  };
  const options = await parsePluginOptions(plugin, rawOptions, complete.place);
  const instance = await create(plugin, options, context, complete);
  const problems = instanceProblems(instance);
  if (problems.length === 0) return guardScaler({ plugin, instance, context, limits: complete });
  await closeQuietly(instance);
  throw new ScalerError(
    "PLUGIN_INVALID",
    `plugin "${plugin.name}" opened a scaler that is not of the contract's form: ${problems.join("; ")}`,
  );
}

async function create(
  plugin: ScalerPlugin,
  options: unknown,
  context: ScalerContext,
  limits: Required<GuardLimits>,
): Promise<ResourceScaler> {
  const calls = new GuardedCalls({ id: context.id, clock: context.clock, timeoutMs: limits.openTimeoutMs });
  try {
    return await calls.run({ name: "create" }, async (signal) => {
      const instance = await plugin.create(options, context);
      if (signal.aborted) await closeQuietly(instance);
      return instance;
    });
  } catch (error) {
    throw toOpenError(error, limits.place);
  }
}

const flags = ["watch", "routing", "compareAndSet"] as const;
const methods = ["listResources", "getResource", "setScale", "resolveTargets"] as const;

function instanceProblems(instance: unknown): string[] {
  if (typeof instance !== "object" || instance === null) return ["create gave no object"];
  const scaler = instance as ResourceScaler;
  const missing = methods.filter((method) => typeof scaler[method] !== "function");
  return [
    ...missing.map((method) => `${method} is no function`),
    ...(typeof scaler[Symbol.asyncDispose] === "function" ? [] : ["[Symbol.asyncDispose] is no function"]),
    ...capabilityProblems(scaler.capabilities, scaler),
  ];
}

function capabilityProblems(capabilities: unknown, scaler: ResourceScaler): string[] {
  if (typeof capabilities !== "object" || capabilities === null) return ["capabilities is no object"];
  const { replicas, watch, routing, settleWithinMs } = capabilities as Partial<Capabilities>;
  const wrongFlags = flags.filter((flag) => typeof Reflect.get(capabilities, flag) !== "boolean");
  return [
    ...wrongFlags.map((flag) => `capabilities.${flag} must be true or false`),
    ...(replicas === "one" || replicas === "many" ? [] : ['capabilities.replicas must be "one" or "many"']),
    ...(Number.isFinite(settleWithinMs) && Number(settleWithinMs) >= 0
      ? []
      : ["capabilities.settleWithinMs must be milliseconds"]),
    ...(watch === true && typeof scaler.watchResources !== "function"
      ? ["capabilities.watch is true, and watchResources is no function"]
      : []),
    ...(routing === true && typeof scaler.routeTraffic !== "function"
      ? ["capabilities.routing is true, and routeTraffic is no function"]
      : []),
  ];
}
