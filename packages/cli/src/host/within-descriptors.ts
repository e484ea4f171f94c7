import type { DlxConfig, Logger } from "@dormouse/core";

/** For the log, the state files, the admin API, and the output of what runs. */
const reserved = 100;

/** A client's connection, one to a target, and a quarter of one that is only there to be refused. */
const perConnection = 2.25;

/** Fewer would serve nobody. */
const fewest = 16;

/**
 * The DLX's limits, lowered to what the process's file descriptors allow. Without one left the kernel would have a new
 * connection reset: nobody would be told why.
 *
 * @param descriptors how many the process may have; undefined: nobody knows
 */
export function withinDescriptors(config: DlxConfig, descriptors: number | undefined): DlxConfig {
  if (descriptors === undefined) return config;
  const maxConnections = Math.max(fewest, Math.floor((descriptors - reserved) / perConnection));
  return maxConnections >= config.maxConnections ? config : { ...config, maxConnections };
}

/** Logs that the limits were lowered, if they were; for a host that has started. */
export function tellOfDescriptors(config: DlxConfig, descriptors: number | undefined, logger: Logger): void {
  const { maxConnections } = withinDescriptors(config, descriptors);
  if (maxConnections === config.maxConnections) return;
  const message =
    "this process may open few files, so that it takes fewer connections than configured: raise ulimit -n";
  logger.info({ descriptors, maxConnections, configured: config.maxConnections }, message);
}
