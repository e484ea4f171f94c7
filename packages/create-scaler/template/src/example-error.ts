import { type ErrorCode, type ResourceFailure, ScalerError } from "@dormouse/core";
import type { ExampleService } from "./example-api.ts";

// The one file that turns what the platform says into codes of Dormouse's table. Messages are for operators; callers never see them.

const codeByStatus: Readonly<Record<number, ErrorCode>> = {
  401: "SCALER_FORBIDDEN",
  403: "SCALER_FORBIDDEN",
  404: "SCALER_NOT_FOUND",
  408: "SCALER_TIMEOUT",
  409: "SCALER_CONFLICT",
  412: "SCALER_CONFLICT",
  429: "SCALER_RATE_LIMITED",
  500: "SCALER_UNAVAILABLE",
  502: "SCALER_UNAVAILABLE",
  503: "SCALER_UNAVAILABLE",
  504: "SCALER_TIMEOUT",
  507: "SCALER_QUOTA",
};

const codeByReason: Readonly<Record<string, ErrorCode>> = {
  crashed: "SCALER_CRASH_LOOP",
  image: "SCALER_IMAGE_PULL",
  quota: "SCALER_QUOTA",
  capacity: "SCALER_UNSCHEDULABLE",
};

/** No answer: whether the platform has accepted the call is unknown, and the code says that it may be tried again. */
export function toUnreachableError(what: string, error: unknown): ScalerError {
  return new ScalerError("SCALER_UNAVAILABLE", `${what}: ${messageOf(error)}`, { cause: error });
}

/** An answer that is no success. */
export function toStatusError(what: string, status: number, text: string, retryAfter: string | null): ScalerError {
  const retryAfterMs = Number(retryAfter) * 1_000;
  return new ScalerError(codeByStatus[status] ?? "SCALER_INTERNAL", `${what}: ${status} ${text.slice(0, 200)}`, {
    ...(retryAfterMs > 0 && { retryAfterMs }),
  });
}

/** A success whose content is not what the platform promises. */
export function toAnswerError(what: string, error: Error): ScalerError {
  return new ScalerError("SCALER_INTERNAL", `${what}: the answer is not understood`, { cause: error });
}

/** A port that no service here has. */
export function toPortError(service: ExampleService, port: string): ScalerError {
  return new ScalerError("SCALER_BAD_ARGUMENT", `${service.name} has no port "${port}"`);
}

/** Why a service cannot start, in the platform's words. It ends a wake at once instead of by a timeout. */
export function toFailure({ reason, message }: NonNullable<ExampleService["failure"]>): ResourceFailure {
  return { code: codeByReason[reason] ?? "SCALER_START_FAILED", message: message === "" ? reason : message };
}

/** `fetch` says "fetch failed", and why in the cause. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
