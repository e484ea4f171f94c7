import { randomUUID } from "node:crypto";
import { EventJournal, type Milliseconds, ResourceCatalog } from "@dormouse/core";
import { Credentials } from "../admin/credentials.ts";
import { RefusedConfig } from "../config/refused-config.ts";
import { checkWrittenResources } from "../config/check-config.ts";
import type { ResolvedSecrets } from "../config/secrets.ts";
import { deferLog } from "../log/defer-log.ts";
import { limitRepeats } from "../log/limit-repeats.ts";
import { openTelemetry } from "../telemetry/open-telemetry.ts";
import { version } from "../version.ts";
import { Closing } from "./closing.ts";
import { ConfigStatus } from "./config-status.ts";
import { descriptorLimit } from "./descriptor-limit.ts";
import { DirectSources } from "./direct-sources.ts";
import type { Foundation, HostOptions } from "./host-engine.ts";
import { checkRole } from "./host-role.ts";
import { Host } from "./host.ts";
import { openParts } from "./open-parts.ts";
import { type OpenedScaler, PluginOpener } from "./plugin-opener.ts";
import { resolveConfigSecrets } from "./resolve-config-secrets.ts";
import { waitForListing } from "./wait-for-listing.ts";
import { tellOfDescriptors } from "./within-descriptors.ts";

/** How long a start waits for the platforms to list their resources; one that is slower joins later. */
const listingLimitMs: Milliseconds = 1_000;

/**
 * Starts a host: scalers, DLX, autoscaler or both, admin API. Requests are answered once resolved. Where any part fails,
 * what was opened is closed again.
 *
 * @throws RefusedConfig where the configuration has to change, StartFailure where the world has to
 */
export async function openHost(options: HostOptions): Promise<Host> {
  const closing = new Closing(options.log.logger);
  try {
    // Whether an autoscaler needs DLXs can depend on what its scalers list.
    if (options.role !== "autoscaler") checkRole(options.loaded, options.role);
    checkWrittenResources(options.loaded);
    const secrets = resolveConfigSecrets(options);
    const foundation = await openFoundation(options, secrets, closing);
    const opener = new PluginOpener({ ...foundation, secrets });
    const { scalers, catalog } = await openScalers(foundation, opener, closing);
    checkRole(options.loaded, options.role, catalog.list());
    const { engine, sources } = await openParts(foundation, { opener, catalog });
    for (const [id, source] of sources) closing.add(`metrics source ${id}`, source);
    closing.add("parts", engine.parts);
    const host = await Host.open(engine, { loaded: options.loaded, secrets, scalers, sources });
    if (engine.dlxPart !== undefined)
      tellOfDescriptors(options.loaded.config.dlx, descriptorLimit(), foundation.logger);
    return host;
  } catch (error) {
    await closing[Symbol.asyncDispose]();
    throw options.loaded.refuse(error) ?? error;
  }
}

/** Telemetry comes before anything that is measured. */
async function openFoundation(options: HostOptions, secrets: ResolvedSecrets, closing: Closing): Promise<Foundation> {
  const { clock, log, loaded } = options;
  const credentials = new Credentials(secrets);
  const logger = limitRepeats(log.logger, clock);
  const config = loaded.config.telemetry;
  const telemetry = await openTelemetry({ config, clock, logger, version, instance: randomUUID() });
  closing.add("telemetry", telemetry);
  return {
    ...options,
    logger,
    telemetry,
    journal: new EventJournal(clock),
    credentials,
    configStatus: new ConfigStatus(clock, loaded.file),
    directSources: new DirectSources(loaded.config.autoscaler.metrics),
  };
}

interface Opened {
  readonly scalers: readonly OpenedScaler[];
  readonly catalog: ResourceCatalog;
}

async function openScalers({ clock, logger }: Foundation, opener: PluginOpener, closing: Closing): Promise<Opened> {
  const scalers = await opener.openScalers(opener.scalers());
  for (const { id, scaler } of scalers) closing.add(`scaler ${id}`, scaler);
  const deferred = deferLog(logger);
  const catalog = closing.add("catalogue", new ResourceCatalog({ clock, logger: deferred.logger }));
  for (const { scaler } of scalers) catalog.follow(scaler);
  await waitForListing(catalog, clock, listingLimitMs);
  refuseNonsense(catalog, opener);
  deferred.release();
  return { scalers, catalog };
}

/** @throws RefusedConfig where a plugin's first list shows a fault of its own; a platform that is away is none */
function refuseNonsense(catalog: ResourceCatalog, opener: PluginOpener): void {
  const problems = catalog.unlisted().flatMap(({ scaler, failure }) => {
    return failure === undefined ? [] : (opener.refuseFault(scaler, failure)?.problems ?? []);
  });
  if (problems.length > 0) throw new RefusedConfig(problems);
}
