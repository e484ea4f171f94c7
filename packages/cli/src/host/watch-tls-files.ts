import { resolve } from "node:path";
import type { AdminConfig, Clock, Logger, SecretReference } from "@dormouse/core";
import type { Credentials } from "../admin/credentials.ts";
import type { LoadedConfig } from "../config/load-config.ts";
import { resolveTls } from "../config/secrets.ts";
import { watchFile } from "../config/watch-file.ts";

export interface WatchTlsOptions {
  readonly loaded: LoadedConfig;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly credentials: Credentials;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Takes in certificates and keys whose files change, until the signal aborts. What does not fit together yet is waited for. */
export async function watchTlsFiles(options: WatchTlsOptions, signal: AbortSignal): Promise<void> {
  const { loaded, clock } = options;
  const files = filesOf(loaded.config.admin.tls).map((file) => resolve(loaded.folder, file));
  // No text: what is there at first is compared with what is in use.
  const watched = { clock, text: "", onChange: async () => takeIn(options) };
  await Promise.all(files.map((file) => watchFile(file, watched, signal)));
}

function filesOf(tls: AdminConfig["tls"]): string[] {
  const references: (SecretReference | undefined)[] = [tls?.cert, tls?.key, tls?.ca];
  return [...new Set(references.flatMap((each) => (each !== undefined && "file" in each ? [each.file] : [])))];
}

function takeIn({ loaded, environment, credentials, logger }: WatchTlsOptions): void {
  try {
    const adminTls = resolveTls(loaded.config, { environment, folder: loaded.folder });
    const isRenewed = credentials.renew({ adminToken: credentials.token, adminTls });
    if (isRenewed) logger.info({}, "the certificates of the admin API are renewed");
  } catch (error) {
    logger.warn({ error }, "changed certificates are not usable, the old ones stay");
  }
}
