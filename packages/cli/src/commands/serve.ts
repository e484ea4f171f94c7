import { readFile } from "node:fs/promises";
import type { LoadedConfig } from "../config/load-config.ts";
import type { Override } from "../config/override.ts";
import { readConfig } from "../config/read-config.ts";
import { readEnvironment } from "../config/read-environment.ts";
import { watchFile } from "../config/watch-file.ts";
import { type ExitCode, exitCode } from "../exit-code.ts";
import type { Host } from "../host/host.ts";
import type { HostRole } from "../host/host-role.ts";
import { openHost } from "../host/open-host.ts";
import { type SignalWatch, watchSignals } from "../host/watch-signals.ts";
import type { Log } from "../log/open-log.ts";
import type { Terminal } from "../terminal.ts";
import { overridesOf } from "./config-options.ts";
import type { ServeOptions } from "./serve-options.ts";
import { openServeOutput, type ServeOutput } from "./serve-output.ts";

/**
 * `dormouse up`, `dormouse dlx` and `dormouse autoscaler`: a host until a signal ends it.
 * @throws RefusedConfig, StartFailure where it cannot start
 */
export async function serve(role: HostRole, options: ServeOptions, terminal: Terminal): Promise<ExitCode> {
  const json = options.output === "json" ? { logFormat: "json" } : {};
  const environment = await readEnvironment(terminal.environment, options.envFile);
  const overrides = overridesOf({ ...json, ...options }, environment);
  const loaded = await readConfig(options, { mayBeVariables: role === "autoscaler", environment, overrides });
  // Commands and folders in the file are relative to it, wherever the host is started.
  process.chdir(loaded.folder);
  const output = await openServeOutput(loaded.config.log, options, terminal);
  const signals = watchSignals(output.log, terminal.clock);
  try {
    await run({ role, options, clock: terminal.clock, environment, overrides, loaded, output, signals });
    return exitCode.done;
  } finally {
    signals[Symbol.dispose]();
    output[Symbol.dispose]();
  }
}

interface Run extends Pick<Terminal, "clock" | "environment"> {
  readonly role: HostRole;
  readonly options: ServeOptions;
  readonly overrides: readonly Override[];
  readonly loaded: LoadedConfig;
  readonly output: ServeOutput;
  readonly signals: SignalWatch;
}

async function run(running: Run): Promise<void> {
  const { role, options, clock, environment, overrides, loaded, output, signals } = running;
  const { log } = output;
  const host = await openHost({ role, loaded, overrides, environment, clock, log });
  signals.attach(host, () => void reloadFrom(loaded, host, log));
  announce(role, host, loaded, log);
  await output.show(host);
  const ended = new AbortController();
  const onChange = (text: string): Promise<void> => host.reload(text, "file");
  const isWatched = loaded.isFile && options.watch !== false;
  const { path, text } = loaded;
  const watching = isWatched ? watchFile(path, { clock, text, onChange }, ended.signal) : undefined;
  await signals.stopped;
  ended.abort();
  await Promise.all([host.stop(), watching]);
  log.logger.info({}, "stopped");
}

async function reloadFrom({ isFile, path }: LoadedConfig, host: Host, log: Log): Promise<void> {
  if (!isFile) return log.logger.info({}, "the configuration comes from variables, which only a start reads");
  try {
    await host.reload(await readFile(path, "utf8"), "SIGHUP");
  } catch (error) {
    log.logger.error({ error }, "the configuration file cannot be read; the old one stays");
  }
}

function announce(role: HostRole, { addresses, config }: Host, { file }: LoadedConfig, { logger }: Log): void {
  const { dlx, admin } = addresses;
  const requests = role === "autoscaler" ? {} : { requests: dlx };
  const what = role === "up" ? {} : { host: role };
  logger.info({ ...what, ...requests, admin, config: file, scalers: config.scalers.length }, "ready");
}
