import type { DlxPeer, EventJournal, ResourceRef, ScaleEvent } from "@dormouse/core";
import type { HostRole } from "../host/host-role.ts";
import type { ResourceList, ResourceReport } from "./resource-report.ts";
import type { WhyReport } from "./why-report.ts";

/** Who asks for a wake or a sleep, and why. */
export interface Order {
  readonly by: string;
  readonly reason: string;
  /** Ends the waiting, not what was begun. */
  readonly signal: AbortSignal;
}

/** What the admin API is served from. */
export interface AdminHost {
  /** Id of this process, another after each start. */
  readonly process: string;
  /** Which parts it runs. */
  readonly role: HostRole;
  readonly journal: EventJournal;
  /** Its DLX under the id by which other hosts know it; undefined: it has none. */
  readonly peer: DlxPeer | undefined;
  /** Whether the process still does its work; the reasons where only a restart helps. */
  liveness(): { readonly alive: boolean; readonly reasons: readonly string[] };
  /** Whether requests should come here; the reasons where they should not. */
  readiness(): { readonly ready: boolean; readonly reasons: readonly string[] };
  /** Brings what other hosts count up to date, within a second; what follows shows it. Never rejects. */
  refresh(): Promise<void>;
  list(): ResourceList;
  resource(ref: ResourceRef): ResourceReport | undefined;
  why(ref: ResourceRef): WhyReport | undefined;
  /** Rejects with a ScalerError. */
  wake(ref: ResourceRef, order: Order): Promise<ScaleEvent>;
  /** Rejects with a ScalerError. */
  sleep(ref: ResourceRef, order: Order): Promise<ScaleEvent>;
  /** Prometheus' text format. */
  metrics(): Promise<string>;
}
