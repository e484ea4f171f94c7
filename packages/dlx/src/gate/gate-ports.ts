import type { Clock, EventJournal, Logger, Milliseconds, ResourceCatalog, SeesDirect, SleepGate } from "@dormouse/core";
import type { Totals } from "./book.ts";
import type { Dial } from "./dial.ts";
import type { Upstreams } from "./passage.ts";

/** What every gate of a process shares. */
export interface GatePorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly journal: EventJournal;
  readonly catalog: ResourceCatalog;
  readonly dial: Dial;
  readonly upstreams: Upstreams;
  readonly sleepGate: SleepGate;
  readonly totals: Totals;
  /** Which metrics sources see traffic that passes no DLX: with one of them, warm traffic leaves. */
  readonly seesDirect: SeesDirect;
  /** Bounds over all resources together. */
  readonly limits: () => { readonly maxHeld: number; readonly maxInFlight: number };
  /** Resolves once this DLX has seen itself in the list of DLXs. */
  readonly listed: (signal: AbortSignal) => Promise<void>;
  /** Resolves once this process is older than that: no call of an earlier one can have an effect any more. */
  readonly settled: (settleWithinMs: Milliseconds, signal: AbortSignal) => Promise<void>;
}
