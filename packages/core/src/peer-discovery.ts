import type { Milliseconds } from "./clock.ts";
import type { ResourceRef } from "./resource-ref.ts";
import type { CallOptions, PluginContext } from "./resource-scaler.ts";

/** What one DLX knows of one resource. */
export interface ResourceActivity {
  /** Printed ref. */
  readonly ref: string;
  /** Requests between their release and the end of their response; silent streams past `streamIdleAfter` left out. */
  readonly inFlight: number;
  /** Requests waiting for the resource. */
  readonly held: number;
  /** Time since the last activity this process saw, in ms; its own uptime where it saw none. Ages survive clocks that differ. */
  readonly idleForMs: Milliseconds;
  /** The same as epoch ms by the DLX's wall clock, for display; left out where it saw none. */
  readonly lastActivityAt?: number;
  /** Requests since the process started. */
  readonly requests: number;
}

/** Answer to `GET /v1/activity`. A resource that is not in the list was never asked for at this DLX. */
export interface ActivityReport {
  /** Id of the DLX process: another after each start. */
  readonly process: string;
  /** Epoch ms. */
  readonly startedAt: number;
  readonly uptimeMs: Milliseconds;
  readonly resources: readonly ResourceActivity[];
}

/** Answer to `PUT /v1/fences/{ref}`. */
export interface FenceAnswer {
  readonly process: string;
  /** The attempt that was asked with; an answer to another attempt proves nothing. */
  readonly attempt: string;
  readonly inFlight: number;
  readonly held: number;
}

/** One DLX as others reach it: by plain calls in the same process, by the admin API elsewhere. */
export interface DlxPeer {
  /** Names the list entry; where one host runs everything, the process id of the DLX. */
  readonly id: string;
  readActivity(options?: CallOptions): Promise<ActivityReport>;
  /** Takes the licence away, voids running claims and closes idle connections. Valid for ever; late or repeated ones are harmless. */
  fence(ref: ResourceRef, attempt: string, options?: CallOptions): Promise<FenceAnswer>;
}

/** Where a DLX of another process is reached. */
export interface PeerAddress {
  /** Names the list entry, for example a pod. */
  readonly id: string;
  /** Base URL of its admin API. */
  readonly url: string;
}

/** What a host gives a peer discovery. */
export interface PeerDiscoveryContext extends PluginContext {
  /** A DLX at an address, by the host's own client with its token and certificates. Opens no connection before its first call. */
  readonly connect: (address: PeerAddress) => DlxPeer;
}

/**
 * Which DLXs there are. `listPeers` reads the truth now, uncached, with not-ready and terminating ones; it rejects
 * where it cannot. A DLX claims nothing before it has seen its own id in the list (`self`, else its `process`).
 */
export interface PeerDiscovery extends AsyncDisposable {
  /** Id of this process's own entry where it runs a DLX; left out: the DLX's `process`. */
  readonly self?: string;
  listPeers(options?: CallOptions): Promise<readonly DlxPeer[]>;
}
