import { existsSync } from "node:fs";
import type { ConfigOptions } from "../commands/config-options.ts";
import type { Terminal } from "../terminal.ts";
import { defaultConfigFile } from "./default-config-file.ts";
import { type LoadedConfig, loadConfig } from "./load-config.ts";
import type { Override } from "./override.ts";
import { hasScaleItVariables, loadScaleItVariables } from "./scaleit-variables.ts";

export interface ReadOptions {
  /** The command may be told of its application by variables alone. */
  readonly mayBeVariables: boolean;
  /** Those of the file of `--env-file` among them. */
  readonly environment: Terminal["environment"];
  readonly overrides: readonly Override[];
}

/**
 * The configuration that a command means: the file that is named, else dormouse.yaml, else, where there is none, what the
 * variables of ScaleIt say.
 *
 * @throws RefusedConfig with one problem for each thing that is wrong
 */
export async function readConfig(
  options: Pick<ConfigOptions, "config" | "envFile">,
  { mayBeVariables, environment, overrides }: ReadOptions,
): Promise<LoadedConfig> {
  const named = options.config ?? environment["DORMOUSE_CONFIG"];
  const file = named ?? defaultConfigFile;
  const isAsked = mayBeVariables && (options.envFile !== undefined || hasScaleItVariables(environment));
  if (named === undefined && isAsked && !existsSync(file)) return loadScaleItVariables(environment, overrides);
  return loadConfig({ file, overrides });
}
