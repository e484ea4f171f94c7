import { type ResolvedSecrets, resolveSecrets } from "../config/secrets.ts";
import type { HostOptions } from "./host-engine.ts";

/** The secrets of a configuration, kept out of the log from here on. @throws RefusedConfig */
export function resolveConfigSecrets({
  loaded,
  environment,
  log,
}: Pick<HostOptions, "loaded" | "environment" | "log">): ResolvedSecrets {
  try {
    const secrets = resolveSecrets(loaded.config, { environment, folder: loaded.folder });
    log.hide(secrets.values);
    return secrets;
  } catch (error) {
    throw loaded.refuse(error) ?? error;
  }
}
