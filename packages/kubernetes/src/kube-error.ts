import { type ErrorCode, isScalerError, ScalerError, type ScalerErrorOptions } from "@dormouse/core";
import { type ApiCall, describeCall, describeRule } from "./api-call.ts";

/** What the API server says about a failure (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/). */
interface KubeStatus {
  readonly kind?: unknown;
  readonly message?: unknown;
  readonly reason?: unknown;
  readonly code?: unknown;
  readonly details?: { readonly retryAfterSeconds?: unknown; readonly causes?: unknown };
}

/** What a `KubeError` knows besides its code. */
export interface KubeErrorFacts extends ScalerErrorOptions {
  readonly status?: number | undefined;
  readonly reason?: string | undefined;
  readonly mayHaveHappened?: boolean;
}

/** A failed call of the Kubernetes API. */
export class KubeError extends ScalerError {
  /** HTTP status, or the code of a watch's ERROR event; undefined where there was no answer. */
  readonly status: number | undefined;
  /** `Conflict`, `AlreadyExists`, `Expired` and so on, as the server says it. */
  readonly reason: string | undefined;
  /** Whether a write may have been carried out all the same. Always false for reads. */
  readonly mayHaveHappened: boolean;

  constructor(code: ErrorCode, message: string, { status, reason, mayHaveHappened, ...options }: KubeErrorFacts = {}) {
    super(code, message, options);
    this.status = status;
    this.reason = reason;
    this.mayHaveHappened = mayHaveHappened === true;
  }
}

const longestText = 1_000;

/** Whether an error means that a list or watch must begin anew, since its version is no longer kept. */
export function isExpired(error: unknown): boolean {
  return error instanceof KubeError && (error.status === 410 || error.reason === "Expired" || error.reason === "Gone");
}

/**
 * An answer that is no success, or the object of a watch's ERROR event.
 * @param body a Status object, its text, or whatever a proxy in between wrote
 * @param retryAfter value of the header, in seconds or as a date
 */
export function toStatusError(
  call: ApiCall,
  httpStatus: number,
  body: unknown,
  retryAfter?: { readonly header: string | undefined; readonly now: number },
): KubeError {
  const said = toStatus(body);
  const status = httpStatus === 200 && typeof said.code === "number" ? said.code : httpStatus;
  const reason = typeof said.reason === "string" && said.reason !== "" ? said.reason : undefined;
  const text = typeof said.message === "string" ? said.message : typeof body === "string" ? body : "";
  const code = codeOf(status, reason, said, text);
  const retryAfterMs = retryAfterOf(said, retryAfter);
  return new KubeError(code, messageOf(call, code, status, text), {
    status,
    reason,
    mayHaveHappened: call.writes && status >= 500,
    ...(code === "SCALER_UNAVAILABLE" && { retryable: true }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

/** A refusal by a server that is not ready, which may not know yet what is granted. Nothing was carried out. */
export function toUnreadyError(call: ApiCall, body: string): KubeError {
  const { message, status, reason } = toStatusError(call, 403, body);
  const text = `${message}; the API server also says that it is not ready, so this is tried again`;
  return new KubeError("SCALER_UNAVAILABLE", text, { status, reason, retryable: true });
}

function toStatus(body: unknown): KubeStatus {
  if (typeof body === "object" && body !== null) return body;
  if (typeof body !== "string" || !body.startsWith("{")) return {};
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === "object" && parsed !== null ? parsed : {};
  } catch {
    return {};
  }
}

const codes: Readonly<Record<number, ErrorCode>> = {
  400: "SCALER_BAD_ARGUMENT",
  401: "SCALER_FORBIDDEN",
  403: "SCALER_FORBIDDEN",
  404: "SCALER_NOT_FOUND",
  405: "SCALER_UNSUPPORTED",
  406: "SCALER_UNSUPPORTED",
  408: "SCALER_TIMEOUT",
  409: "SCALER_CONFLICT",
  // A version that is no longer kept: the caller reads again and goes on, as after a conflict.
  410: "SCALER_CONFLICT",
  413: "SCALER_BAD_ARGUMENT",
  415: "SCALER_UNSUPPORTED",
  422: "SCALER_BAD_ARGUMENT",
  429: "SCALER_RATE_LIMITED",
};

function codeOf(status: number, reason: string | undefined, said: KubeStatus, text: string): ErrorCode {
  const causes: unknown = said.details?.causes;
  const isCausedBy = (cause: string): boolean =>
    Array.isArray(causes) && causes.some((each: { readonly reason?: unknown } | null) => each?.reason === cause);
  if (status === 403 && isCausedBy("NamespaceTerminating")) return "SCALER_NOT_FOUND";
  // The server has no reason of its own for a quota: only its message tells it from missing rights.
  if (status === 403 && text.includes("exceeded quota")) return "SCALER_QUOTA";
  if (reason === "Expired" || reason === "Gone") return "SCALER_CONFLICT";
  if (reason === "Timeout" || reason === "ServerTimeout") return "SCALER_TIMEOUT";
  return codes[status] ?? (status >= 500 || status < 400 ? "SCALER_UNAVAILABLE" : "SCALER_BAD_ARGUMENT");
}

function messageOf(call: ApiCall, code: ErrorCode, status: number, text: string): string {
  const said = text === "" ? "" : `: ${text.slice(0, longestText).trim()}`;
  const what = `Kubernetes refused to ${describeCall(call)} with ${String(status)}${said}`;
  if (status === 401) return `${what}; the credentials are not valid (any more): renew the token or certificate`;
  if (code === "SCALER_FORBIDDEN") return `${what}; this rule would grant it: ${describeRule(call)}`;
  return what;
}

function retryAfterOf(
  said: KubeStatus,
  given: { readonly header: string | undefined; readonly now: number } | undefined,
): number | undefined {
  const seconds = Number(given?.header ?? said.details?.retryAfterSeconds);
  if (Number.isFinite(seconds) && seconds > 0) return seconds * 1_000;
  const date = Date.parse(given?.header ?? "");
  return Number.isNaN(date) || given === undefined ? undefined : Math.max(0, date - given.now);
}

/** Failures that come before any byte of a request has left. */
const beforeSending = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);

const certificateCodes =
  /^(CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_(GET|VERIFY)_|HOSTNAME_MISMATCH)/;

/** What a socket, TLS, the credentials or the reading of an answer failed with. ScalerErrors stay as they are. */
export function toKubeError(error: unknown, call: ApiCall): ScalerError {
  if (isScalerError(error)) return error;
  const socketCode = socketCodeOf(error);
  const text = error instanceof Error ? firstLine(error) : String(error);
  const mayHaveHappened = call.writes && (socketCode === undefined || !isBeforeSending(socketCode));
  const unknown = mayHaveHappened ? "; whether it was carried out is unknown" : "";
  const hint =
    socketCode !== undefined && certificateCodes.test(socketCode)
      ? "; check the certificate authority of the kubeconfig or service account"
      : "";
  return new KubeError("SCALER_UNAVAILABLE", `Kubernetes could not ${describeCall(call)}: ${text}${unknown}${hint}`, {
    cause: error,
    retryable: true,
    mayHaveHappened,
  });
}

/** A call that did not end in time, or that its caller gave up. */
export function toEndedError(call: ApiCall, code: "SCALER_TIMEOUT" | "SCALER_ABORTED", why: string): KubeError {
  const unknown = call.writes ? "; whether it was carried out is unknown" : "";
  return new KubeError(code, `Kubernetes did not ${describeCall(call)}: ${why}${unknown}`, {
    mayHaveHappened: call.writes,
  });
}

function isBeforeSending(code: string): boolean {
  return beforeSending.has(code) || certificateCodes.test(code);
}

function socketCodeOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  const code: unknown = Reflect.get(error, "code");
  if (typeof code === "string") return code;
  // A name with several addresses fails with one error for each.
  const errors: unknown = Reflect.get(error, "errors");
  const first: unknown = Array.isArray(errors) ? errors[0] : Reflect.get(error, "cause");
  return first === undefined ? undefined : socketCodeOf(first);
}

function firstLine(error: Error): string {
  const code = socketCodeOf(error);
  const text = error.message.split("\n", 1)[0]?.slice(0, longestText) ?? "";
  return text === "" ? (code ?? error.name) : text;
}
