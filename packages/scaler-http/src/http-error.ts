import { isScalerError, type LocalRef, type ResourceFailure, ScalerError, toScalerError } from "@dormouse/core";
import { HttpFailure } from "@dormouse/http-json";

/*
 * What failures mean for a resource. What HTTP's own failures mean (statuses, lost connections, broken answers) is told by
 * http-json, in the same codes.
 */

/** `SCALER_NOT_FOUND`, naming the resource. */
export function toNotFoundError(ref: LocalRef): ScalerError {
  return new ScalerError("SCALER_NOT_FOUND", `no resource ${ref.namespace}/${ref.name} is configured`);
}

/** `SCALER_DISPOSED`. */
export function toDisposedError(): ScalerError {
  return new ScalerError("SCALER_DISPOSED", "the scaler has been closed");
}

/** `SCALER_ABORTED`, with the signal's reason as its cause. */
export function toAbortedError(signal: AbortSignal): ScalerError {
  return new ScalerError("SCALER_ABORTED", "the call was given up", { cause: signal.reason });
}

/** `SCALER_UNSUPPORTED`: the API takes no such count, so it is not even asked. */
export function toBelowMinimumError({ name }: LocalRef, replicas: number, minimum: number): ScalerError {
  const mend =
    replicas === 0
      ? "it cannot sleep; where the API takes 0 after all, set minimum: 0"
      : "ask for more, or lower minimum";
  return new ScalerError(
    "SCALER_UNSUPPORTED",
    `${name} takes no fewer than ${String(minimum)} replicas (minimum): ${mend}`,
  );
}

/** `SCALER_RATE_LIMITED`: too many writes wait for their turn, so this one was not sent. */
export function toCrowdedError({ name }: LocalRef): ScalerError {
  return new ScalerError("SCALER_RATE_LIMITED", `too many writes to ${name} wait for their turn already`);
}

/** `SCALER_UNSUPPORTED`: it is scaled, but nobody knows where it takes requests. */
export function toNoTargetsError({ name }: LocalRef): ScalerError {
  const mend = "say where its instances take requests (targets)";
  return new ScalerError("SCALER_UNSUPPORTED", `${name} has no targets, so nothing can be routed to it: ${mend}`);
}

/** `SCALER_BAD_ARGUMENT`, with the one port that there is. */
export function toPortError({ name }: LocalRef, port: string, known: string): ScalerError {
  return new ScalerError("SCALER_BAD_ARGUMENT", `${name} has no port "${port}": its one port is "${known}"`);
}

/** Whether a resource is not there, as the API says it. */
export function isGone(error: unknown): boolean {
  return isScalerError(error) && error.code === "SCALER_NOT_FOUND";
}

/** Whether a failed write may have been carried out: anything but a clear refusal. */
export function mayHaveHappened(error: unknown): boolean {
  if (error instanceof HttpFailure) return error.mayHaveHappened;
  return toScalerError(error).code !== "SCALER_BAD_OPTIONS";
}

/** What is shown of a resource whose status cannot be had now. */
export function toFailure(error: unknown): ResourceFailure {
  const { code, message } = toScalerError(error, "SCALER_UNAVAILABLE");
  return { code, message };
}
