import {
  ConfigError,
  type ErrorCode,
  isErrorCode,
  isScalerError,
  type ResourceFailure,
  ScalerError,
} from "@dormouse/core";
import type { z } from "zod";
import { failureSchema, type RemoteFailure } from "./protocol.ts";
import type { rpcErrorSchema } from "./rpc-messages.ts";

/** Characters of what a remote says of itself. */
const longestMessage = 2_000;

/** JSON-RPC: the method does not exist. */
const methodNotFound = -32_601;

/** How a program ended, and what it wrote to stderr last. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly lastLines: readonly string[];
}

/** What a remote said that a call failed with. A code that is none of a scaler's counts as `SCALER_INTERNAL`. */
function toRemoteError(call: string, failure: RemoteFailure): Error {
  const { issues, message, retryable, retryAfterMs } = failure;
  if (call === "hello" && issues !== null && issues !== undefined && issues.length > 0) return toOptionsError(issues);
  const { code, note } = toKnownCode(failure.code);
  return new ScalerError(code, `${call}: ${shorten(message)}${note}`, {
    ...(typeof retryable === "boolean" && { retryable }),
    ...(typeof retryAfterMs === "number" && { retryAfterMs }),
  });
}

/** Why a resource cannot start or is left alone, in the remote's words. */
export function toFailure({ code, message }: ResourceFailureOnWire): ResourceFailure {
  const known = toKnownCode(code);
  return { code: known.code, message: shorten(message) + known.note };
}

interface ResourceFailureOnWire {
  readonly code: string;
  readonly message: string;
}

function toKnownCode(code: string): { readonly code: ErrorCode; readonly note: string } {
  if (isErrorCode(code) && code.startsWith("SCALER_")) return { code, note: "" };
  return { code: "SCALER_INTERNAL", note: ` (with the code ${JSON.stringify(shorten(code))}, which no scaler has)` };
}

function toOptionsError(issues: NonNullable<RemoteFailure["issues"]>): ConfigError {
  return new ConfigError(
    issues.slice(0, 100).map(({ place, problem, mend }) => ({
      place: place === "" || place.startsWith("[") ? `options${shorten(place)}` : `options.${shorten(place)}`,
      problem: shorten(problem),
      ...(typeof mend === "string" && { mend: shorten(mend) }),
    })),
  );
}

/** The error of a JSON-RPC response. Without our own code in `data` it says no more than that something failed. */
export function toRpcError(call: string, { code, message, data }: z.output<typeof rpcErrorSchema>): Error {
  if (data !== null && data !== undefined) return toRemoteError(call, { ...data, message });
  if (code === methodNotFound) return toMissingCallError(call);
  return new ScalerError("SCALER_INTERNAL", `${call}: ${shorten(message)} (JSON-RPC error ${String(code)})`);
}

/** A call that the remote does not have. */
function toMissingCallError(call: string): ScalerError {
  return new ScalerError("SCALER_UNSUPPORTED", `the remote does not know the call ${call}`);
}

/** An HTTP response that is no success: the failure in its body where there is one, else what the status says. */
export function toStatusError(call: string, status: number, body: unknown, retryAfter: string | undefined): Error {
  const failure = failureSchema.safeParse(body);
  const retryAfterMs =
    retryAfter !== undefined && /^\d{1,5}$/.test(retryAfter) ? Number(retryAfter) * 1_000 : undefined;
  if (failure.success) return toRemoteError(call, { retryAfterMs, ...failure.data });
  if (status === 404 || status === 501) return toMissingCallError(call);
  return new ScalerError(
    codeOfStatus(status),
    `${call}: the remote answered ${String(status)}${mendOfStatus(status)}`,
    {
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    },
  );
}

function codeOfStatus(status: number): ErrorCode {
  if (status === 401 || status === 403) return "SCALER_FORBIDDEN";
  if (status === 429) return "SCALER_RATE_LIMITED";
  if (status === 408 || status === 504) return "SCALER_TIMEOUT";
  return status === 502 || status === 503 ? "SCALER_UNAVAILABLE" : "SCALER_INTERNAL";
}

function mendOfStatus(status: number): string {
  if (status === 401 || status === 403) return ": check token, or the certificate that is shown";
  return status >= 300 && status < 400 ? ": a redirect, which is not followed; correct url" : "";
}

/** An answer that the protocol does not have: names the first member that is wrong. */
export function toAnswerError(call: string, error: z.ZodError): ScalerError {
  return new ScalerError("SCALER_INTERNAL", `${call} was answered outside the protocol: ${describeIssue(error)}`);
}

/** An answer that says something impossible. */
export function toLieError(call: string, lie: string): ScalerError {
  return new ScalerError("SCALER_INTERNAL", `${call} was answered outside the protocol: ${lie}`);
}

/** The first thing that is wrong, with its place. */
export function describeIssue({ issues }: z.ZodError): string {
  const [issue] = issues;
  if (issue === undefined) return "it is not of its form";
  const place = issue.path.map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`)).join("");
  return shorten(`${place === "" ? "the answer" : place.replace(/^\./, "")}: ${issue.message}`);
}

/** What a connection to a server failed with. ScalerErrors stay as they are. */
export function toConnectionError(call: string, error: unknown, url: string): ScalerError {
  if (isScalerError(error)) return error;
  const root = rootOf(error);
  const code = systemCode(root);
  const isTls = /^(CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH)/.test(code);
  const mend = isTls ? "; check the remote's certificate, tls.ca and tls.serverName" : "";
  const kind: ErrorCode = /TIMEOUT/.test(code) ? "SCALER_TIMEOUT" : "SCALER_UNAVAILABLE";
  return new ScalerError(kind, `${call}: ${url} could not be called (${shorten(messageOf(root))})${mend}`, {
    cause: error,
  });
}

/** A dial of several addresses fails with all their errors; the first one says what is the matter. */
function rootOf(error: unknown): unknown {
  return error instanceof AggregateError && error.errors.length > 0 ? (error.errors[0] as unknown) : error;
}

function systemCode(error: unknown): string {
  const code: unknown = error instanceof Error ? Reflect.get(error, "code") : undefined;
  return typeof code === "string" ? code : "";
}

/** A PEM file that cannot be read. */
export function toFileError(path: string, error: unknown): ScalerError {
  return new ScalerError("SCALER_BAD_OPTIONS", `http.tls: ${path} cannot be read: ${messageOf(error)}`, {
    cause: error,
  });
}

/** A program that could not be run at all. */
export function toSpawnError(command: string, error: unknown): ScalerError {
  return new ScalerError("SCALER_UNAVAILABLE", `"${command}" could not be started: ${messageOf(error)}`, {
    cause: error,
  });
}

/** A program that has ended. The outcome of what it was asked is not known. */
export function toExitError(command: string, exit: Exit): ScalerError {
  const how = exit.signal === null ? `exit code ${String(exit.code ?? "unknown")}` : `signal ${exit.signal}`;
  const message = `"${command}" ended with ${how}`;
  if (exit.lastLines.length === 0)
    return new ScalerError("SCALER_UNAVAILABLE", `${message}; it wrote nothing to stderr`);
  const lines = exit.lastLines.map((line) => `  ${line}`);
  return new ScalerError("SCALER_UNAVAILABLE", [`${message}; its last lines on stderr:`, ...lines].join("\n"));
}

/** A program that is ended because it does not keep to the protocol. */
export function toBrokenProgramError(command: string, problem: string): ScalerError {
  return new ScalerError("SCALER_UNAVAILABLE", `"${command}" ${problem}, and is ended`);
}

/** A program that waits to be started again. */
export function toDownError(last: Error, waitMs: number): ScalerError {
  const retryAfterMs = Math.max(1, Math.ceil(waitMs));
  return new ScalerError("SCALER_UNAVAILABLE", `the remote is down, and started again soon: ${last.message}`, {
    cause: last,
    retryAfterMs,
  });
}

/** A program that takes nothing in. */
export function toFullError(call: string): ScalerError {
  return new ScalerError("SCALER_UNAVAILABLE", `${call}: the remote does not read its stdin; nothing was sent`);
}

/** `SCALER_DISPOSED`. */
export function toDisposedError(): ScalerError {
  return new ScalerError("SCALER_DISPOSED", "the scaler has been closed");
}

/** `SCALER_ABORTED`, with the signal's reason as its cause. */
export function toAbortedError(call: string, signal: AbortSignal): ScalerError {
  return new ScalerError("SCALER_ABORTED", `${call} was given up`, { cause: signal.reason });
}

/** A remote that speaks another contract. */
export function toContractError(name: string, theirs: number, ours: number): ScalerError {
  const message = `the remote "${shorten(name)}" is of contract ${String(theirs)}, and this Dormouse of contract ${String(ours)}`;
  return new ScalerError("PLUGIN_CONTRACT", message);
}

/** Bounds what a remote says. */
export function shorten(text: string): string {
  return text.length <= longestMessage ? text : `${text.slice(0, longestMessage)}…`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}
