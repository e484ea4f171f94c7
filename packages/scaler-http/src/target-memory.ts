import type { Clock, Milliseconds, Target } from "@dormouse/core";
import type { ResolvedTargets } from "./resolve-api.ts";
import type { StatusReading } from "./status-reading.ts";
import { OrderedTargets } from "./ordered-targets.ts";
import { ReportedTargets } from "./reported-targets.ts";

/**
 * Which instances take requests, such that none is listed which a stop accepted so far can still end.
 */
export interface TargetMemory {
  /** A stop to so many was accepted, by whomever. */
  lowered(keep: number): void;
  /** Whether a reading is needed that began after the last stop, before anything is listed or started. */
  readonly needsReading: boolean;
  /** Takes in a reading that began after the last stop. */
  saw(reading: StatusReading): void;
  /** The targets of the last reading, with `desired` replicas. */
  list(desired: number): readonly Target[];
}

/** The memory that fits how addresses are configured; undefined: there are none. */
export function openTargetMemory(
  targets: ResolvedTargets | undefined,
  clock: Clock,
  stopGraceMs: Milliseconds,
): TargetMemory | undefined {
  if (targets === undefined) return undefined;
  return targets.kind === "ordered" ? new OrderedTargets(targets.addressOf, clock, stopGraceMs) : new ReportedTargets();
}
