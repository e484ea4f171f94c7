import { type ErrorCode, isScalerError, type LocalRef, type ResourceFailure, ScalerError } from "@dormouse/core";

// The one file that turns what happens on the platform into codes of the table.

/** What the system says of a pipe or a file of runsv. */
const codeBySystemError: Readonly<Record<string, ErrorCode>> = {
  // Nobody reads the pipe: runsv has ended.
  ENXIO: "SCALER_UNAVAILABLE",
  // The folder is there, and what runsv makes in it is not yet.
  ENOENT: "SCALER_UNAVAILABLE",
  EACCES: "SCALER_FORBIDDEN",
  EPERM: "SCALER_FORBIDDEN",
  // The pipe is full: runsv lives, and does not read.
  EAGAIN: "SCALER_TIMEOUT",
};

/** A service that is not configured here. */
export function toNotFoundError({ namespace, name }: LocalRef): ScalerError {
  return new ScalerError("SCALER_NOT_FOUND", `no service is configured as ${namespace}/${name}`);
}

/** Why a file of a service could not be used. */
export function toFolderError(folder: string, what: string, error: unknown, isThere: boolean): ScalerError {
  if (isScalerError(error)) return error;
  const system: unknown = error instanceof Error ? Reflect.get(error, "code") : undefined;
  if (!isThere) return new ScalerError("SCALER_NOT_FOUND", `there is no folder ${folder}`, { cause: error });
  const code = typeof system === "string" ? codeBySystemError[system] : undefined;
  return new ScalerError(code ?? "SCALER_INTERNAL", `${folder}: ${what}: ${mendFor(code)}`, { cause: error });
}

/** A status that no runsv writes. */
export function toGarbledError(folder: string): ScalerError {
  return new ScalerError("SCALER_INTERNAL", `${folder}: supervise/status is not in the form of runsv(8)`);
}

/** A port that services here do not have. */
export function toPortError(port: string): ScalerError {
  return new ScalerError("SCALER_BAD_ARGUMENT", `services have the port "http", and no "${port}"`);
}

/** What is said of a service that ends again and again; runsv goes on starting it. */
export function toFailure(crashes: number): ResourceFailure {
  return { code: "SCALER_CRASH_LOOP", message: `run has ended by itself ${crashes} times since it was to start` };
}

function mendFor(code: ErrorCode | undefined): string {
  if (code === "SCALER_UNAVAILABLE") return "no runsv is there; is the folder below the one that runsvdir watches?";
  if (code === "SCALER_FORBIDDEN") return "the host may not use it; give its user the files in supervise/";
  return "it cannot be used";
}
