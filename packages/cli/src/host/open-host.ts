import { randomUUID } from "node:crypto";
import { type Autoscaler, openAutoscaler } from "@dormouse/autoscaler";
import {
  EventJournal,
  type MetricsSource,
  type Milliseconds,
  ResourceCatalog,
  type RouteSource,
  SleepGate,
  soleLeader,
} from "@dormouse/core";
import { type Dlx, localPeers, openDlx } from "@dormouse/dlx";
import { RefusedConfig } from "../config/refused-config.ts";
import { checkWrittenResources } from "../config/check-config.ts";
import type { ResolvedSecrets } from "../config/secrets.ts";
import { deferLog } from "../log/defer-log.ts";
import { limitRepeats } from "../log/limit-repeats.ts";
import { openTelemetry } from "../telemetry/open-telemetry.ts";
import { version } from "../version.ts";
import { builtInSources } from "./built-in-sources.ts";
import { Closing } from "./closing.ts";
import { ConfigStatus } from "./config-status.ts";
import { descriptorLimit } from "./descriptor-limit.ts";
import { DirectSources } from "./direct-sources.ts";
import type { Foundation, HostEngine, HostOptions } from "./host-engine.ts";
import { Host } from "./host.ts";
import { type OpenedScaler, PluginOpener } from "./plugin-opener.ts";
import { resolveConfigSecrets } from "./resolve-config-secrets.ts";
import { waitForListing } from "./wait-for-listing.ts";
import { tellOfDescriptors, withinDescriptors } from "./within-descriptors.ts";

/** How long a start waits for the platforms to list their resources; one that is slower joins later. */
const listingLimitMs: Milliseconds = 1_000;

/**
 * Starts everything in one process: scalers, DLX, autoscaler, admin API. Requests are answered once resolved. Where any part
 * fails, what was opened is closed again.
 *
 * @throws RefusedConfig where the configuration has to change, StartFailure where the world has to
 */
export async function openHost(options: HostOptions): Promise<Host> {
  const closing = new Closing(options.log.logger);
  try {
    checkWrittenResources(options.loaded);
    const secrets = resolveConfigSecrets(options);
    const foundation = await openFoundation(options, closing);
    const plugins = await openPlugins(foundation, secrets, closing);
    const engine = await openEngine(foundation, plugins, closing);
    const { scalers } = plugins;
    const host = await Host.open(engine, { loaded: options.loaded, secrets, scalers, sources: engine.sources });
    tellOfDescriptors(options.loaded.config.dlx, descriptorLimit(), foundation.logger);
    return host;
  } catch (error) {
    await closing[Symbol.asyncDispose]();
    throw options.loaded.refuse(error) ?? error;
  }
}

/** Telemetry comes before anything that is measured. */
async function openFoundation(options: HostOptions, closing: Closing): Promise<Foundation> {
  const { clock, log, loaded } = options;
  const logger = limitRepeats(log.logger, clock);
  const config = loaded.config.telemetry;
  const telemetry = await openTelemetry({ config, clock, logger, version, instance: randomUUID() });
  closing.add("telemetry", telemetry);
  return {
    ...options,
    logger,
    telemetry,
    journal: new EventJournal(clock),
    configStatus: new ConfigStatus(clock, loaded.file),
  };
}

interface OpenedPlugins {
  readonly opener: PluginOpener;
  readonly scalers: readonly OpenedScaler[];
  readonly routeSources: readonly RouteSource[];
  readonly catalog: ResourceCatalog;
}

async function openPlugins(
  { loaded, clock, logger }: Foundation,
  secrets: ResolvedSecrets,
  closing: Closing,
): Promise<OpenedPlugins> {
  const opener = new PluginOpener({ loaded, secrets, clock, logger });
  const scalers = await opener.openScalers(opener.scalers());
  for (const { id, scaler } of scalers) closing.add(`scaler ${id}`, scaler);
  const routeSources = await opener.openRouteSources();
  for (const source of routeSources) closing.add("route source", source);
  const deferred = deferLog(logger);
  const catalog = closing.add("catalogue", new ResourceCatalog({ clock, logger: deferred.logger }));
  for (const { scaler } of scalers) catalog.follow(scaler);
  await waitForListing(catalog, clock, listingLimitMs);
  refuseNonsense(catalog, opener);
  deferred.release();
  return { opener, scalers, routeSources, catalog };
}

/** @throws RefusedConfig where a plugin's first list shows a fault of its own; a platform that is away is none */
function refuseNonsense(catalog: ResourceCatalog, opener: PluginOpener): void {
  const problems = catalog.unlisted().flatMap(({ scaler, failure }) => {
    return failure === undefined ? [] : (opener.refuseFault(scaler, failure)?.problems ?? []);
  });
  if (problems.length > 0) throw new RefusedConfig(problems);
}

type Engine = HostEngine & { readonly sources: ReadonlyMap<string, MetricsSource> };

async function openEngine(
  foundation: Foundation,
  { opener, catalog, routeSources }: OpenedPlugins,
  closing: Closing,
): Promise<Engine> {
  const { loaded, clock, logger, journal } = foundation;
  const { dlx: dlxConfig, autoscaler: config } = loaded.config;
  const sleepGate = new SleepGate(clock);
  const directSources = new DirectSources(config.metrics);
  const { seesDirect } = directSources;
  const shared = { catalog, clock, logger, journal, sleepGate, seesDirect };
  const dlx: Dlx = closing.add(
    "DLX",
    await openDlx({ ...shared, config: withinDescriptors(dlxConfig, descriptorLimit()), routeSources }),
  );
  const peers = localPeers(dlx);
  const sources = await opener.openMetricsSources(opener.metricsSources(), builtInSources(peers));
  for (const [id, source] of sources) closing.add(`metrics source ${id}`, source);
  const autoscaler: Autoscaler = closing.add(
    "autoscaler",
    await openAutoscaler({ ...shared, config, peers, elector: soleLeader, sources, singleHost: true }),
  );
  return { ...foundation, catalog, routeSources, dlx, peers, autoscaler, sources, directSources };
}
