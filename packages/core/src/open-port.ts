import { closeQuietly } from "./close-quietly.ts";
import type { PortContexts, PortInstances, PortKind, PortPlugin } from "./define-plugin.ts";
import { GuardedCalls } from "./guarded-calls.ts";
import { parsePluginOptions, toOpenError } from "./plugin-options.ts";
import { ScalerError } from "./scaler-error.ts";

const methodsOf: { readonly [Kind in PortKind]: readonly (keyof PortInstances[Kind] & string)[] } = {
  metricsSource: ["read"],
  routeSource: ["watchRoutes"],
  peerDiscovery: ["listPeers"],
  leaderElector: ["isLeader", "lead"],
};

/**
 * Opens an instance of a port's plugin.
 *
 * @param rawOptions as configuration writes them; read by the plugin's own schema
 * @param limits `place`: where the options stand, for messages; left out: the context's id
 * @throws ConfigError where the options are wrong, with places below `limits.place`; ScalerError `PLUGIN_INVALID` where
 *   the instance lacks a method of the port, `SCALER_TIMEOUT` where it does not open within 30 s, else the plugin's own
 */
export async function openPort<Kind extends PortKind>(
  plugin: PortPlugin<Kind>,
  rawOptions: unknown,
  context: PortContexts[Kind],
  limits: { readonly place?: string } = {},
): Promise<PortInstances[Kind]> {
  const place = limits.place ?? context.id;
  const options = await parsePluginOptions(plugin, rawOptions, place);
  const instance = await createPort(plugin, options, context, place);
  const missing = missingMethods(plugin.kind, instance);
  if (missing.length === 0) return instance;
  await closeQuietly(instance);
  throw new ScalerError(
    "PLUGIN_INVALID",
    `plugin "${plugin.name}" opened no ${plugin.kind}: ${missing.join(", ")} must be functions`,
  );
}

async function createPort<Kind extends PortKind>(
  plugin: PortPlugin<Kind>,
  options: unknown,
  context: PortContexts[Kind],
  place: string,
) {
  const calls = new GuardedCalls({ id: context.id, clock: context.clock, timeoutMs: 30_000 });
  try {
    return await calls.run({ name: "create" }, async (signal) => {
      const instance = await plugin.create(options, context);
      if (signal.aborted) await closeQuietly(instance);
      return instance;
    });
  } catch (error) {
    throw toOpenError(error, place);
  }
}

function missingMethods(kind: PortKind, instance: unknown): string[] {
  if (typeof instance !== "object" || instance === null) return [...methodsOf[kind], "[Symbol.asyncDispose]"];
  const missing: string[] = methodsOf[kind].filter((method) => typeof Reflect.get(instance, method) !== "function");
  return Reflect.has(instance, Symbol.asyncDispose) ? missing : [...missing, "[Symbol.asyncDispose]"];
}
