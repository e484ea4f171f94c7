import { type ErrorCode, toScalerError } from "@dormouse/core";
import type { KeepReason, ReasonFacts } from "./decision-reasons.ts";

/** Reasons for which an attempt to sleep can end besides those of decisions. */
export const sleepEndReasons = {
  gone: { meaning: "The resource is gone.", next: "nothing" },
  conflict: { meaning: "Somebody else scaled, claimed or routed it meanwhile.", next: "it is decided anew" },
  "users-unknown": { meaning: "A resource that depends on it could not be read.", next: "that has to be readable" },
  "drain-timeout": {
    meaning: "It did not become quiet within `drainTimeout`.",
    next: "its traffic has to end sooner, or `drainTimeout` be longer",
  },
  "drain-too-short": {
    meaning: "Its `drainTimeout` is no longer than the quiet period that its routing needs.",
    next: "`drainTimeout` has to be longer than `quietPeriod` and the time in which the platform's routes settle",
  },
  "fence-unknown": { meaning: "A DLX did not answer the fence.", next: "every listed DLX has to answer" },
  settling: {
    meaning: "An earlier stop whose outcome is unknown may still take effect.",
    next: "the platform's settling time has to pass",
  },
  cancelled: { meaning: "A request came before the stop was sent.", next: "it has to be idle again" },
  aborted: { meaning: "It was given up, by its caller or because the process stops.", next: "it is decided anew" },
  "call-failed": { meaning: "A call to the platform failed.", next: "it is tried again after a short wait" },
  "outcome-unknown": {
    meaning: "A write was sent and its answer was lost: it may or may not take effect.",
    next: "nothing: either is safe, and the next tick sees which it was",
  },
} as const satisfies Record<string, ReasonFacts>;

/** Why an attempt to sleep came to nothing. */
export type SleepEndReason = KeepReason | keyof typeof sleepEndReasons;

export interface SleepEndDetails {
  readonly about?: string | undefined;
  readonly code?: ErrorCode;
  readonly cause?: unknown;
}

/** Thrown within an attempt to sleep: it ends here, and the resource is kept. */
export class SleepEnd extends Error {
  readonly reason: SleepEndReason;
  readonly about: string | undefined;
  /** Code of the failure behind it. */
  readonly code: ErrorCode | undefined;

  constructor(reason: SleepEndReason, { about, code, cause }: SleepEndDetails = {}) {
    super(about === undefined ? reason : `${reason}: ${about}`, { cause });
    this.reason = reason;
    this.about = about;
    this.code = code;
  }

  /** Something failed, rather than that the resource turned out to be in use or changed. */
  get isFailure(): boolean {
    return this.reason === "call-failed" || this.reason === "outcome-unknown";
  }
}

/** What a failed call to the platform means for the attempt. */
export function toSleepEnd(error: unknown): SleepEnd {
  if (error instanceof SleepEnd) return error;
  const { code, message } = toScalerError(error);
  const details = { about: `${code}: ${message}`, code, cause: error };
  if (code === "SCALER_CONFLICT") return new SleepEnd("conflict", { cause: error });
  if (code === "SCALER_NOT_FOUND") return new SleepEnd("gone", { cause: error });
  return code === "SCALER_ABORTED" ? new SleepEnd("aborted", { cause: error }) : new SleepEnd("call-failed", details);
}

/** Refusals after which nothing can take effect any more; anything else may have been accepted. */
const refusals: readonly ErrorCode[] = [
  "SCALER_BAD_ARGUMENT",
  "SCALER_CONFLICT",
  "SCALER_FORBIDDEN",
  "SCALER_NOT_FOUND",
  "SCALER_QUOTA",
  "SCALER_RATE_LIMITED",
  "SCALER_UNSUPPORTED",
];

/** What a failed write means: refused, or sent with an answer that was lost. */
export function toWriteEnd(error: unknown): SleepEnd {
  const { code, message } = toScalerError(error);
  if (refusals.includes(code)) return toSleepEnd(error);
  return new SleepEnd("outcome-unknown", { about: `${code}: ${message}`, code, cause: error });
}
