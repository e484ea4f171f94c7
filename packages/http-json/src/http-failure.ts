import { type ErrorCode, isScalerError, type Milliseconds, ScalerError, type ScalerErrorOptions } from "@dormouse/core";
import { describeCall, type HttpCall, isWrite } from "./http-call.ts";

/** The part of an answer's text, or of an error's, that a message quotes. */
const longestQuote = 200;

/** What is known of a failed try besides its code. */
export interface HttpFailureFacts extends ScalerErrorOptions {
  /** HTTP status; left out: there was no answer. */
  readonly status?: number;
  /** A write may have been carried out all the same. */
  readonly mayHaveHappened?: boolean;
  /** The same request may succeed a moment later. */
  readonly isPassing?: boolean;
}

/** A call to an HTTP API that failed. Its message names method, host and path, never a header or a query. */
export class HttpFailure extends ScalerError {
  readonly status: number | undefined;
  /** Whether a write may have been carried out all the same; always false for reads. */
  readonly mayHaveHappened: boolean;
  /** Whether the same request may succeed a moment later. */
  readonly isPassing: boolean;
  /** How long the API itself asks to wait; undefined: it did not say. */
  readonly saidRetryAfterMs: Milliseconds | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    { status, mayHaveHappened, isPassing, ...options }: HttpFailureFacts = {},
  ) {
    super(code, message, options);
    this.status = status;
    this.mayHaveHappened = mayHaveHappened === true;
    this.isPassing = isPassing === true;
    this.saidRetryAfterMs = options.retryAfterMs;
  }
}

/** An answer whose status means no success. @param retryAfterMs what the answer says itself */
export function toStatusFailure(
  call: HttpCall,
  status: number,
  {
    text,
    location,
    retryAfterMs,
  }: {
    readonly text: string;
    readonly location?: string | undefined;
    readonly retryAfterMs?: Milliseconds | undefined;
  },
): HttpFailure {
  const code = codeOf(status, call);
  const said = isRedirect(status) ? redirectText(location) : text.trim() === "" ? "" : `: ${quote(text)}`;
  return new HttpFailure(code, `${describeCall(call)} answered ${String(status)}${said}`, {
    status,
    isPassing: status === 408 || status === 425 || status === 429 || status >= 500,
    mayHaveHappened: isWrite(call) && (status >= 500 || status === 408),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

const codes: Readonly<Record<number, ErrorCode>> = {
  401: "SCALER_FORBIDDEN",
  403: "SCALER_FORBIDDEN",
  407: "SCALER_FORBIDDEN",
  404: "SCALER_NOT_FOUND",
  410: "SCALER_NOT_FOUND",
  408: "SCALER_TIMEOUT",
  409: "SCALER_CONFLICT",
  412: "SCALER_CONFLICT",
  425: "SCALER_UNAVAILABLE",
  429: "SCALER_RATE_LIMITED",
  501: "SCALER_UNSUPPORTED",
  504: "SCALER_TIMEOUT",
};

/** A value that is refused is one that the API does not support; any other refusal of a request comes from how it is configured. */
function codeOf(status: number, call: HttpCall): ErrorCode {
  const code = codes[status];
  if (code !== undefined) return code;
  if (status >= 500) return "SCALER_UNAVAILABLE";
  return isWrite(call) && (status === 400 || status === 422) ? "SCALER_UNSUPPORTED" : "SCALER_BAD_OPTIONS";
}

function isRedirect(status: number): boolean {
  return status >= 300 && status < 400;
}

function redirectText(location: string | undefined): string {
  const to = location === undefined ? "" : ` to ${quote(location.replace(/[?#].*$/s, ""))}`;
  return `${to}; redirects are not followed: write the final address`;
}

/** An answer with a status of success whose content is not what it has to be. It may be right the next time. */
export function toContentFailure(call: HttpCall, problem: string, cause?: unknown): HttpFailure {
  return new HttpFailure("SCALER_UNAVAILABLE", `${describeCall(call)}: the answer ${problem}`, {
    isPassing: true,
    mayHaveHappened: isWrite(call),
    ...(cause !== undefined && { cause }),
  });
}

/** Failures that come before any byte of a request has left. */
const beforeSending = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_GET_ISSUER_CERT",
  "CERT_HAS_EXPIRED",
  "CERT_NOT_YET_VALID",
  "ERR_TLS_CERT_ALTNAME_INVALID",
]);

/** What a certificate's error means for whoever configured it. */
const mends: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "; renew the server's certificate",
  ERR_TLS_CERT_ALTNAME_INVALID: "; write the name that the server's certificate is for",
  DEPTH_ZERO_SELF_SIGNED_CERT: "; give its authority as tls.ca",
  SELF_SIGNED_CERT_IN_CHAIN: "; give its authority as tls.ca",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "; give its authority as tls.ca",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "; give its authority as tls.ca",
  UNABLE_TO_GET_ISSUER_CERT: "; give its authority as tls.ca",
};

/** A try that ended without an answer: refused, cut, late or given up. Errors of ours come through as they are. */
export function toConnectionFailure(call: HttpCall, error: unknown): ScalerError {
  if (error instanceof HttpFailure) return error;
  if (isScalerError(error) && error.code === "SCALER_TIMEOUT")
    return new HttpFailure("SCALER_TIMEOUT", error.message, { isPassing: true, mayHaveHappened: isWrite(call) });
  if (isScalerError(error)) return error;
  const code = systemCode(error);
  const said = error instanceof Error ? error.message : String(error);
  if (code === "UND_ERR_INVALID_ARG")
    return new ScalerError("SCALER_BAD_OPTIONS", `${describeCall(call)} cannot be sent: ${quote(said)}`);
  const text = `${describeCall(call)} failed: ${quote(said)}${mends[code] ?? ""}`;
  return new HttpFailure("SCALER_UNAVAILABLE", text, {
    cause: error,
    isPassing: true,
    mayHaveHappened: isWrite(call) && !beforeSending.has(code),
  });
}

/** Several addresses of one name fail together, each with a code of its own. */
function systemCode(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return systemCode(error.errors[0]);
  const code: unknown = error instanceof Error ? Reflect.get(error, "code") : undefined;
  return typeof code === "string" ? code : "";
}

/** A call of several tries whose last one was refused, while an earlier one may have been carried out. */
export function toUnknownOutcome(refusal: ScalerError, earlier: HttpFailure): HttpFailure {
  return new HttpFailure(
    "SCALER_UNAVAILABLE",
    `${refusal.message}; an earlier try may have been carried out: ${earlier.message}`,
    {
      cause: refusal,
      mayHaveHappened: true,
    },
  );
}

/** A text of others as a part of one line. */
export function quote(text: string): string {
  const line = text.replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, " ").trim();
  return line.length <= longestQuote ? line : `${line.slice(0, longestQuote)}…`;
}
