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
import type { Credentials } from "../admin/credentials.ts";
import type { AdminServer } from "../admin/open-admin-server.ts";
import type { LoadedConfig } from "../config/load-config.ts";
import type { Override } from "../config/override.ts";
import type { ResolvedSecrets } from "../config/secrets.ts";
import type { Log } from "../log/open-log.ts";
import type { Metrics } from "../telemetry/open-metrics.ts";
import type { AskedWakes } from "./asked-wakes.ts";
import type { ConfigStatus } from "./config-status.ts";
import type { DirectSources } from "./direct-sources.ts";
import type { HostRole } from "./host-role.ts";
import type { HostTraffic } from "./host-traffic.ts";
import type { OwnEntry } from "./own-entry.ts";
import type { OpenedScaler } from "./plugin-opener.ts";
import type { WatchedLead } from "./watched-lead.ts";

/** What a host is given to start with. */
export interface HostOptions {
  /** Which parts it runs. */
  readonly role: HostRole;
  readonly loaded: LoadedConfig;
  /** What stands above the file; also of every later version of it. */
  readonly overrides: readonly Override[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly log: Log;
}

/** What every part of a host stands on. */
export interface Foundation extends HostOptions {
  readonly credentials: Credentials;
  readonly logger: Logger;
  readonly journal: EventJournal;
  readonly telemetry: Metrics;
  readonly configStatus: ConfigStatus;
  readonly directSources: DirectSources;
}

/** The DLX of a host that has one. */
export interface DlxPart {
  readonly dlx: Dlx;
  readonly routeSources: readonly RouteSource[];
  /** Where other hosts have to find it; left out: there are none. */
  readonly ownEntry?: OwnEntry;
}

/** The autoscaler of a host that has one. */
export interface AutoscalerPart {
  readonly autoscaler: Autoscaler;
  readonly lead: WatchedLead;
  /** Wakes that are asked for; left out: the DLX of the same process wakes. */
  readonly wakes?: AskedWakes;
}

/** What a host opens once and keeps for its life. */
export interface HostEngine extends Foundation {
  /** Id of this process, another after each start. */
  readonly process: string;
  readonly catalog: ResourceCatalog;
  readonly dlxPart: DlxPart | undefined;
  readonly autoscalerPart: AutoscalerPart | undefined;
  /** Which DLXs there are: its own alone, or those of the configured discovery. */
  readonly peers: PeerDiscovery;
  readonly traffic: HostTraffic;
  /** Closes the parts and what they stand on, down to the catalogue. */
  readonly parts: AsyncDisposable;
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
