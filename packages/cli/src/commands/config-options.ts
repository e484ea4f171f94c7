import { parseSetting, type Override, environmentOverrides } from "../config/override.ts";
import type { Terminal } from "../terminal.ts";
import type { GlobalOptions } from "./global-options.ts";

/** Flags of the commands that read a configuration. */
export interface ConfigOptions extends GlobalOptions {
  /** `KEY=VALUE`, in order. */
  readonly set?: readonly string[];
  /** File of variables that count where the environment has none. */
  readonly envFile?: string;
  readonly listen?: string;
  readonly adminListen?: string;
  readonly logLevel?: string;
  readonly logFormat?: string;
}

/**
 * What stands above the file, weakest first: environment, then `--set`, then the flags that have a name.
 * @throws RefusedConfig for a value that is no YAML and a setting that is none
 */
export function overridesOf(options: ConfigOptions, environment: Terminal["environment"]): Override[] {
  const flags = [
    { path: ["dlx", "listen"], value: options.listen, origin: "--listen" },
    { path: ["admin", "listen"], value: options.adminListen, origin: "--admin-listen" },
    { path: ["log", "level"], value: options.logLevel, origin: "--log-level" },
    { path: ["log", "format"], value: options.logFormat, origin: "--log-format" },
  ];
  return [
    ...environmentOverrides(environment),
    ...(options.set ?? []).map(parseSetting),
    ...flags.filter(({ value }) => value !== undefined),
  ];
}
