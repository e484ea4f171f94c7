import { type LocalRef, type ResourceFailure, ScalerError } from "@dormouse/core";

/** The one file that turns what happens on the platform into codes of the table. */
export function toNotFoundError({ namespace, name }: LocalRef): ScalerError {
  return new ScalerError("SCALER_NOT_FOUND", `no worker is configured as ${namespace}/${name}`);
}

/** Somebody else has written since the caller read. */
export function toConflictError({ name }: LocalRef, wanted: string, current: string): ScalerError {
  return new ScalerError("SCALER_CONFLICT", `${name} is at version ${current}, not ${wanted}`);
}

/** What a thread says that ended although it was wanted. */
export function toFailure(error: unknown, exitCode: number): ResourceFailure {
  const message = error instanceof Error ? error.message : `the thread ended with exit code ${exitCode}`;
  return { code: "SCALER_START_FAILED", message };
}
