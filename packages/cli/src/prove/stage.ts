import type { Clock, Milliseconds, ResourceRef } from "@dormouse/core";
import type { AdminClient } from "../client/admin-client.ts";
import type { ResourceWatch } from "./resource-watch.ts";
import type { Traffic } from "./traffic.ts";

/** What the cycles of a run are made with. */
export interface Stage {
  readonly admin: Pick<AdminClient, "scale">;
  readonly ref: ResourceRef;
  readonly watch: ResourceWatch;
  readonly traffic: Traffic;
  readonly clock: Clock;
  readonly ratePerSecond: number;
  /** How long one sleep, or one wake, is waited for. */
  readonly patienceMs: Milliseconds;
  /** Ends the run. */
  readonly signal: AbortSignal;
  /** Says what is being done or waited for. */
  readonly tell: (line: string) => void;
}

/** What did not happen in time; nothing is proven without it. */
export class NotProven extends Error {
  override readonly name = "NotProven";
}
