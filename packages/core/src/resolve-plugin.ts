import { existsSync, statSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { moduleResolve } from "import-meta-resolve";
import { ScalerError } from "./scaler-error.ts";

/** Where plugins are looked for. */
export interface PluginOrigins {
  /** Folder of the configuration file; paths are relative to it. */
  readonly configFolder: string;
  /** Folder whose `node_modules` holds further plugins, relative to `configFolder`. */
  readonly pluginDir?: string | undefined;
  /** `import.meta.url` of the host, for the plugins that it depends on itself. */
  readonly hostUrl: string;
}

/**
 * The file that `use:` means: a path (begins with `./`, `../`, `/` or `file:`) relative to the configuration file; else
 * the first of the packages that is found from the configuration's folder, `pluginDir` or the host, by Node's own
 * resolution of an `import` there.
 *
 * @param packages in order; only those that `use` can mean
 * @returns a `file:` URL
 * @throws ScalerError `PLUGIN_NOT_FOUND` with all the places and the mend, `PLUGIN_INVALID` where a package is broken
 */
export function resolvePlugin(use: string, packages: readonly string[], origins: PluginOrigins): string {
  if (isPath(use)) return resolvePath(use, origins.configFolder);
  const from = folders(origins);
  for (const name of packages) {
    for (const { parent } of from) {
      const found = resolvePackage(use, name, parent);
      if (found !== undefined) return found;
    }
  }
  const looked = [...new Set(from.map(({ shown }) => shown))].join(", ");
  throw new ScalerError(
    "PLUGIN_NOT_FOUND",
    `plugin "${use}" was not found: no package ${packages.join(" or ")} from ${looked}; npm install ${packages[0]}`,
  );
}

/** Whether `use:` is a path and no package name. */
export function isPath(use: string): boolean {
  return /^(\.{1,2}([/\\]|$)|file:)/.test(use) || isAbsolute(use);
}

function resolvePath(use: string, configFolder: string): string {
  const file = use.startsWith("file:")
    ? fileURLToPath(new URL(use, pathToFileURL(join(configFolder, "/"))))
    : resolve(configFolder, use);
  if (!existsSync(file))
    throw new ScalerError(
      "PLUGIN_NOT_FOUND",
      `plugin "${use}" was not found: there is no file ${file}; paths are relative to the configuration file`,
    );
  if (statSync(file).isDirectory())
    throw new ScalerError(
      "PLUGIN_NOT_FOUND",
      `plugin "${use}" is a folder; name the file in it that exports the plugin`,
    );
  return pathToFileURL(file).href;
}

function folders({ configFolder, pluginDir, hostUrl }: PluginOrigins): { parent: URL; shown: string }[] {
  const inFolder = (folder: string) => ({ parent: pathToFileURL(join(folder, "any.js")), shown: folder });
  return [
    inFolder(resolve(configFolder)),
    ...(pluginDir === undefined ? [] : [inFolder(resolve(configFolder, pluginDir))]),
    { parent: new URL(hostUrl), shown: "the dormouse installation itself" },
  ];
}

/** The package's file seen from a parent; undefined where there is none. A builtin of Node such as `http` is none. */
function resolvePackage(use: string, name: string, parent: URL): string | undefined {
  try {
    const url = moduleResolve(name, parent, new Set(conditions()));
    return url.protocol === "file:" ? url.href : undefined;
  } catch (error) {
    if (isMissingPackage(error)) return undefined;
    const message = error instanceof Error ? error.message : String(error);
    throw new ScalerError("PLUGIN_INVALID", `plugin "${use}" is installed as ${name} but broken: ${message}`, {
      cause: error,
    });
  }
}

/** A package that is there and whose file is not has the same code, and names the file. */
function isMissingPackage(error: unknown): boolean {
  return (
    error instanceof Error &&
    Reflect.get(error, "code") === "ERR_MODULE_NOT_FOUND" &&
    error.message.startsWith("Cannot find package")
  );
}

/**
 * The export conditions of the running process. Node tells them to nobody: its own are fixed, further ones stand in its
 * flags, and where core itself runs from its sources, the source condition is on, however it was given.
 */
function conditions(): string[] {
  const flags = process.execArgv.flatMap((flag, index, all) => {
    const [, given] = /^(?:--conditions=|-C=?)(.+)$/.exec(flag) ?? [];
    return given ?? (flag === "--conditions" || flag === "-C" ? (all[index + 1] ?? []) : []);
  });
  const own = import.meta.url.endsWith(".ts") ? ["@dormouse/source"] : [];
  return ["node", "import", "module-sync", "node-addons", ...own, ...flags];
}
