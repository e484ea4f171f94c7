import { type ErrorCode, isScalerError, ScalerError } from "@dormouse/core";

/** What prometheus-query rejects with: plain objects, or what its parsing threw. */
interface Rejection {
  readonly errorType?: unknown;
  readonly error?: unknown;
  readonly original?: unknown;
}

const longestMessage = 300;

/**
 * A failed query in our words. Only its message is kept: what the library rejects with holds the request, and with it the
 * credentials.
 */
export function toPrometheusError(rejected: unknown): ScalerError {
  if (isScalerError(rejected)) return rejected;
  const { errorType, error, original } = isObject(rejected) ? (rejected as Rejection) : {};
  if (isScalerError(original)) return original;
  const text = typeof error === "string" ? error : messageOf(rejected);
  const code = errorType === "timeout_error" ? "SCALER_TIMEOUT" : "SCALER_UNAVAILABLE";
  return new ScalerError(code, `Prometheus could not be asked: ${text.slice(0, longestMessage)}`);
}

/** A response that is no success, by its status; `detail` is what Prometheus says itself. */
export function toStatusError(status: number, detail: unknown): ScalerError {
  const text = typeof detail === "string" ? `: ${detail.slice(0, longestMessage)}` : "";
  return new ScalerError(codeOf(status), `Prometheus answered ${String(status)}${text}`);
}

function codeOf(status: number): ErrorCode {
  if (status === 401 || status === 403) return "SCALER_FORBIDDEN";
  if (status === 400 || status === 422) return "SCALER_BAD_ARGUMENT";
  if (status === 429) return "SCALER_RATE_LIMITED";
  return "SCALER_UNAVAILABLE";
}

function messageOf(value: unknown): string {
  return value instanceof Error ? value.message : "its answer cannot be read";
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
