import { readFile } from "node:fs/promises";
import { defaultConfigFile } from "../config/default-config-file.ts";
import { type LoadedConfig, loadConfig } from "../config/load-config.ts";
import type { Override } from "../config/override.ts";
import { watchFile } from "../config/watch-file.ts";
import { type ExitCode, exitCode } from "../exit-code.ts";
import type { Host } from "../host/host.ts";
import { openHost } from "../host/open-host.ts";
import { type SignalWatch, watchSignals } from "../host/watch-signals.ts";
import type { Log } from "../log/open-log.ts";
import type { Terminal } from "../terminal.ts";
import { overridesOf } from "./config-options.ts";
import type { UpOptions } from "./up-options.ts";
import { openUpOutput, type UpOutput } from "./up-output.ts";

/**
 * `dormouse up`: everything in one process until a signal ends it.
 * @throws RefusedConfig, StartFailure where it cannot start
 */
export async function up(options: UpOptions, terminal: Terminal): Promise<ExitCode> {
  const json = options.output === "json" ? { logFormat: "json" } : {};
  const overrides = overridesOf({ ...json, ...options }, terminal.environment);
  const file = options.config ?? terminal.environment["DORMOUSE_CONFIG"] ?? defaultConfigFile;
  const loaded = await loadConfig({ file, overrides });
  // Commands and folders in the file are relative to it, wherever the host is started.
  process.chdir(loaded.folder);
  const output = await openUpOutput(loaded.config.log, options, terminal);
  const signals = watchSignals(output.log, terminal.clock);
  try {
    await run({ options, terminal, overrides, loaded, output, signals });
    return exitCode.done;
  } finally {
    signals[Symbol.dispose]();
    output[Symbol.dispose]();
  }
}

interface Run {
  readonly options: UpOptions;
  readonly terminal: Terminal;
  readonly overrides: readonly Override[];
  readonly loaded: LoadedConfig;
  readonly output: UpOutput;
  readonly signals: SignalWatch;
}

async function run({
  options,
  terminal: { environment, clock },
  overrides,
  loaded,
  output,
  signals,
}: Run): Promise<void> {
  const { log } = output;
  const host = await openHost({ loaded, overrides, environment, clock, log });
  signals.attach(host, () => void reloadFrom(loaded.path, host, log));
  announce(host, loaded, log);
  await output.show(host);
  const ended = new AbortController();
  const onChange = (text: string): Promise<void> => host.reload(text, "file");
  const watching =
    options.watch === false ? undefined : watchFile(loaded.path, { clock, text: loaded.text, onChange }, ended.signal);
  await signals.stopped;
  ended.abort();
  await Promise.all([host.stop(), watching]);
  log.logger.info({}, "stopped");
}

async function reloadFrom(path: string, host: Host, log: Log): Promise<void> {
  try {
    await host.reload(await readFile(path, "utf8"), "SIGHUP");
  } catch (error) {
    log.logger.error({ error }, "the configuration file cannot be read; the old one stays");
  }
}

function announce({ addresses, config }: Host, { file }: LoadedConfig, { logger }: Log): void {
  const { dlx, admin } = addresses;
  logger.info({ requests: dlx, admin, config: file, scalers: config.scalers.length }, "ready");
}
