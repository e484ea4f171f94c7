import { writeFile } from "node:fs/promises";
import { defaultConfigFile } from "../config/default-config-file.ts";
import { starterConfig } from "../config/starter-config.ts";
import { type ExitCode, exitCode } from "../exit-code.ts";
import { type Terminal, write } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";
import type { GlobalOptions } from "./global-options.ts";

export interface InitOptions extends GlobalOptions {
  /** Overwrite a file that is there. */
  readonly force?: boolean;
}

/**
 * `dormouse init`: a configuration to begin with.
 * @throws UsageError where there is a file already, or it cannot be written
 */
export async function init(options: InitOptions, { stdout, environment }: Terminal): Promise<ExitCode> {
  const file = options.config ?? environment["DORMOUSE_CONFIG"] ?? defaultConfigFile;
  try {
    await writeFile(file, starterConfig, { flag: options.force === true ? "w" : "wx" });
  } catch (error) {
    throw new UsageError(describeWriteError(error, file));
  }
  const next = `wrote ${file}\n\n  dormouse up -c ${file}\n  curl -i -H 'Host: hello.localhost' http://127.0.0.1:8080/`;
  await write(stdout, options.output === "json" ? JSON.stringify({ file }) : next);
  return exitCode.done;
}

function describeWriteError(error: unknown, file: string): string {
  const code = error instanceof Error ? String(Reflect.get(error, "code")) : String(error);
  if (code === "EEXIST") return `${file} is there already; overwrite it with --force, or choose another with -c FILE`;
  return `${file} cannot be written (${code}); choose another with -c FILE`;
}
