import type { Milliseconds } from "@dormouse/core";
import type { KeepReason, SleepReason } from "./decision-reasons.ts";

/** The autoscaler's result for one resource in one tick. */
export type Decision =
  | { readonly kind: "sleep"; readonly reason: SleepReason }
  | {
      readonly kind: "keep";
      readonly reason: KeepReason;
      /** Which DLX, rule or resource it is about. */
      readonly about?: string;
      /** Time until nothing but time can have changed the decision; left out: something has to happen. */
      readonly nextCheckInMs?: Milliseconds;
    };

/** A decision to keep. */
export function keep(
  reason: KeepReason,
  details: { readonly about?: string; readonly nextCheckInMs?: Milliseconds } = {},
): Decision {
  return { kind: "keep", reason, ...details };
}

/** A decision to sleep. */
export function sleep(reason: SleepReason): Decision {
  return { kind: "sleep", reason };
}
