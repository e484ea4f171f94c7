import { isScalerError } from "@dormouse/core";
import { defaultConfigFile } from "../config/default-config-file.ts";
import { loadConfig } from "../config/load-config.ts";
import { readEnvironment } from "../config/read-environment.ts";
import { type ExitCode, exitCode } from "../exit-code.ts";
import { Closing } from "../host/closing.ts";
import { type OpenedScaler, PluginOpener } from "../host/plugin-opener.ts";
import { resolveConfigSecrets } from "../host/resolve-config-secrets.ts";
import { openLog } from "../log/open-log.ts";
import { hasColor, type Terminal, write } from "../terminal.ts";
import { type ConfigOptions, overridesOf } from "./config-options.ts";

/**
 * `dormouse release`: hands every resource of every scaler back to its platform, before Dormouse is removed from it.
 * @throws RefusedConfig, StartFailure where a scaler cannot be opened
 */
export async function release(options: ConfigOptions, terminal: Terminal): Promise<ExitCode> {
  const { clock, stdout } = terminal;
  const environment = await readEnvironment(terminal.environment, options.envFile);
  const file = options.config ?? environment["DORMOUSE_CONFIG"] ?? defaultConfigFile;
  const loaded = await loadConfig({ file, overrides: overridesOf(options, environment) });
  process.chdir(loaded.folder);
  const log = await openLog({
    config: loaded.config.log,
    terminal: stdout.isTTY,
    color: hasColor(stdout, environment),
  });
  const closing = new Closing(log.logger);
  try {
    const opener = new PluginOpener({
      loaded,
      secrets: resolveConfigSecrets({ loaded, environment, log }),
      clock,
      logger: log.logger,
    });
    const scalers = await opener.openScalers(opener.scalers());
    for (const { id, scaler } of scalers) closing.add(id, scaler);
    const outcomes = await Promise.all(scalers.map((each) => releaseOne(each, terminal)));
    return outcomes.every(Boolean) ? exitCode.done : exitCode.failed;
  } finally {
    await closing[Symbol.asyncDispose]();
    log.flush();
  }
}

async function releaseOne({ id, scaler }: OpenedScaler, { stdout, stderr }: Terminal): Promise<boolean> {
  if (scaler.release === undefined) {
    await write(stdout, `${id}: nothing to hand back`);
    return true;
  }
  try {
    await scaler.release();
    await write(stdout, `${id}: everything is handed back, and nothing is managed any more`);
    return true;
  } catch (error) {
    if (!isScalerError(error)) throw error;
    await write(stderr, `error: ${id}: ${error.code}: ${error.message}`);
    return false;
  }
}
