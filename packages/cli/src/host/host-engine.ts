import type { Autoscaler } from "@dormouse/autoscaler";
import type {
  Clock,
  EventJournal,
  Logger,
  MetricsSource,
  PeerDiscovery,
  ResourceCatalog,
  RouteSource,
} from "@dormouse/core";
import type { Dlx } from "@dormouse/dlx";
import type { AdminServer } from "../admin/open-admin-server.ts";
import type { LoadedConfig } from "../config/load-config.ts";
import type { Override } from "../config/override.ts";
import type { ResolvedSecrets } from "../config/secrets.ts";
import type { Log } from "../log/open-log.ts";
import type { Metrics } from "../telemetry/open-metrics.ts";
import type { ConfigStatus } from "./config-status.ts";
import type { DirectSources } from "./direct-sources.ts";
import type { OpenedScaler } from "./plugin-opener.ts";

/** What a host is given to start with. */
export interface HostOptions {
  readonly loaded: LoadedConfig;
  /** What stands above the file; also of every later version of it. */
  readonly overrides: readonly Override[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly log: Log;
}

/** What every part of a host stands on. */
export interface Foundation extends HostOptions {
  readonly logger: Logger;
  readonly journal: EventJournal;
  readonly telemetry: Metrics;
  readonly configStatus: ConfigStatus;
}

/** What a host opens once and keeps for its life. */
export interface HostEngine extends Foundation {
  readonly catalog: ResourceCatalog;
  readonly routeSources: readonly RouteSource[];
  readonly dlx: Dlx;
  readonly peers: PeerDiscovery;
  readonly autoscaler: Autoscaler;
  readonly directSources: DirectSources;
}

/** What a change of the configuration replaces, all of it in one step. */
export interface HostState {
  readonly loaded: LoadedConfig;
  readonly secrets: ResolvedSecrets;
  readonly scalers: readonly OpenedScaler[];
  /** By id, in configured order. */
  readonly sources: ReadonlyMap<string, MetricsSource>;
  readonly admin: AdminServer;
}
