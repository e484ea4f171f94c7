import type { DlxPeer, EventJournal, ResourceRef, ScaleEvent } from "@dormouse/core";
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
  readonly journal: EventJournal;
  readonly peer: DlxPeer;
  /** Whether requests should come here; the reasons where they should not. */
  readiness(): { readonly ready: boolean; readonly reasons: readonly string[] };
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
