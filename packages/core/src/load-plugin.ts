import type { PortKind, PortPlugin } from "./define-plugin.ts";
import { pluginOf } from "./plugin-form.ts";
import type { ScalerPlugin } from "./resource-scaler.ts";
import { isPath, type PluginOrigins, resolvePlugin } from "./resolve-plugin.ts";
import { ScalerError } from "./scaler-error.ts";

const portPrefixes: Readonly<Record<PortKind, string>> = {
  metricsSource: "metrics-",
  routeSource: "routes-",
  peerDiscovery: "peers-",
  leaderElector: "leader-",
};

/**
 * Loads the scaler plugin that `use:` names: a path, an npm name, or a short name (`process` is first
 * `@dormouse/scaler-process`, then `process`).
 *
 * @throws ScalerError `PLUGIN_NOT_FOUND`, `PLUGIN_INVALID` or `PLUGIN_CONTRACT`, each with the mend
 */
export async function loadScaler(use: string, origins: PluginOrigins): Promise<ScalerPlugin> {
  const module = await importPlugin(use, resolvePlugin(use, packagesOf(use, ["@dormouse/scaler-"]), origins));
  return pluginOf(module, "scaler", use) as ScalerPlugin;
}

/**
 * Loads the plugin of a port that `use:` names: one that is built in, a path, an npm name, or a short name (`acme` for a
 * metrics source is first `@dormouse/metrics-acme`, then `@dormouse/acme`, then `acme`).
 *
 * @throws ScalerError `PLUGIN_NOT_FOUND`, `PLUGIN_INVALID` or `PLUGIN_CONTRACT`, each with the mend
 */
export async function loadPort<Kind extends PortKind>(
  kind: Kind,
  use: string,
  origins: PluginOrigins & { readonly builtIn?: Readonly<Record<string, PortPlugin<Kind>>> },
): Promise<PortPlugin<Kind>> {
  const builtIn =
    origins.builtIn !== undefined && Object.hasOwn(origins.builtIn, use) ? origins.builtIn[use] : undefined;
  if (builtIn !== undefined) return builtIn;
  const packages = packagesOf(use, [`@dormouse/${portPrefixes[kind]}`, "@dormouse/"]);
  const module = await importPlugin(use, resolvePlugin(use, packages, origins));
  return pluginOf(module, kind, use) as PortPlugin<Kind>;
}

/** A short name is ours before it is anybody's: a package `process` that lies about by chance is not meant. */
function packagesOf(use: string, prefixes: readonly string[]): string[] {
  return isPath(use) || use.includes("/") || use.startsWith("@")
    ? [use]
    : [...prefixes.map((prefix) => prefix + use), use];
}

async function importPlugin(use: string, url: string): Promise<object> {
  try {
    return (await import(/* @vite-ignore */ url)) as object;
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new ScalerError("PLUGIN_INVALID", `plugin "${use}" (${url}) failed on import: ${message}`, { cause });
  }
}
