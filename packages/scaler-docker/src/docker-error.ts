import { type ErrorCode, isScalerError, type LocalRef, type ResourceFailure, ScalerError } from "@dormouse/core";
import type { InspectedContainer } from "./docker-answers.ts";

/** The one file that turns what the engine and the way to it say into codes of the table. */

/** Longest text of the platform that is passed on. */
const longestMessage = 500;

/** `SCALER_NOT_FOUND`, naming the resource. */
export function toNotFoundError({ namespace, name }: LocalRef): ScalerError {
  return new ScalerError("SCALER_NOT_FOUND", `no container with labels of Dormouse is ${namespace}/${name}`);
}

/** `SCALER_ABORTED`, with the signal's reason as its cause. */
export function toAbortedError(signal: AbortSignal): ScalerError {
  return new ScalerError("SCALER_ABORTED", "the call was given up", { cause: signal.reason });
}

/** An answer that is not of the form that every engine has. */
export function toAnswerError(about: string, problem: string): ScalerError {
  return new ScalerError("SCALER_INTERNAL", `Docker's answer about ${about} cannot be used: ${cut(problem)}`);
}

/** A file of the options that cannot be read. */
export function toFileError(option: string, file: string, error: unknown): ScalerError {
  const message = `${option} ${file} cannot be read (${codeOf(error) ?? "unknown"}): correct the path, or its rights`;
  return new ScalerError("SCALER_BAD_OPTIONS", message, { cause: error });
}

/** The SSH host has another key than the configured one. */
export function toHostKeyError(seen: string): ScalerError {
  const mend = "if that is the right host, write this into ssh.hostKey";
  return new ScalerError("SCALER_FORBIDDEN", `the SSH host has the key ${seen}, not the one in ssh.hostKey; ${mend}`);
}

/** Whether the client's error only says that nothing had to be done. */
export function isAlready(error: unknown): boolean {
  return statusOf(error) === 304;
}

/** Whether the engine says that there is no such thing. */
export function isMissing(error: unknown): boolean {
  return isScalerError(error) && error.code === "SCALER_NOT_FOUND";
}

/** Whether the engine says that it has no such image. */
export function isNoImage(error: unknown): boolean {
  return isScalerError(error) && error.code === "SCALER_IMAGE_PULL";
}

/** Whether something else is in the way, such as a container of the same name. */
export function isConflict(error: unknown): boolean {
  return isScalerError(error) && error.code === "SCALER_CONFLICT";
}

/** Whether a call may have been lost on its way, so that nobody knows whether the engine took it. */
export function isLost(error: unknown): boolean {
  return isScalerError(error) && (error.code === "SCALER_UNAVAILABLE" || error.code === "SCALER_TIMEOUT");
}

/** Where the engine was looked for, and by whom. */
export interface EngineSide {
  readonly endpoint: string;
  /** The client certificate of the options has expired. */
  readonly isCertificateOver: boolean;
}

/** What a call to the engine failed with. An abort is passed through as it is. */
export function toDockerError(error: unknown, what: string, side: EngineSide): unknown {
  const behind = causeOf(error);
  if (isScalerError(behind)) return behind;
  if (error instanceof Error && error.name === "AbortError") return error;
  const status = statusOf(error);
  const said = status === undefined ? undefined : fromStatus(status, messageOf(error));
  const [code, message] = said ?? fromConnection(error, side);
  return new ScalerError(code, `${what}: ${cut(message)}`, { cause: error });
}

function fromStatus(status: number, message: string): readonly [ErrorCode, string] {
  if (/no such image|pull access denied|manifest unknown/i.test(message)) return ["SCALER_IMAGE_PULL", message];
  if (status === 401 || status === 403) return ["SCALER_FORBIDDEN", message];
  if (status === 404) return ["SCALER_NOT_FOUND", message];
  if (status === 409) return ["SCALER_CONFLICT", message];
  if (status === 429) return ["SCALER_RATE_LIMITED", message];
  if (status === 502 || status === 503 || status === 504) return ["SCALER_UNAVAILABLE", message];
  if (/no space left|not enough memory|cannot allocate memory|no available ipv4|insufficient/i.test(message)) {
    return ["SCALER_UNSCHEDULABLE", message];
  }
  return ["SCALER_INTERNAL", message];
}

const alerts = /alert (certificate expired|certificate required|bad certificate|unknown ca|certificate revoked)/i;

/** Node's codes, as errors of sockets, of TLS and of ssh2 carry them. */
function fromConnection(error: unknown, side: EngineSide): readonly [ErrorCode, string] {
  const { endpoint, isCertificateOver } = side;
  const code = codeOf(error) ?? "";
  const message = messageOf(error);
  switch (code) {
    case "EACCES":
    case "EPERM":
      return [
        "SCALER_FORBIDDEN",
        `this user may not open ${endpoint}: run Dormouse as a member of the group that owns it (docker, mostly)`,
      ];
    case "ENOENT":
      return ["SCALER_UNAVAILABLE", `there is no socket ${endpoint}: start the Docker Engine, or correct endpoint`];
    case "ECONNREFUSED":
      return ["SCALER_UNAVAILABLE", `nobody listens at ${endpoint}: start the Docker Engine, or correct endpoint`];
    case "CERT_HAS_EXPIRED":
      return ["SCALER_FORBIDDEN", `the certificate of ${endpoint} has expired: renew it on the engine's side`];
    case "CERT_NOT_YET_VALID":
      return ["SCALER_FORBIDDEN", `the certificate of ${endpoint} is not valid yet: look at the clocks`];
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return ["SCALER_FORBIDDEN", `the certificate of ${endpoint} is for another name: ${message}`];
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
    case "SELF_SIGNED_CERT_IN_CHAIN":
    case "UNABLE_TO_GET_ISSUER_CERT":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
      return ["SCALER_FORBIDDEN", `tls.ca did not sign the certificate of ${endpoint} (${code}): name its authority`];
    default:
      break;
  }
  const [, alert] = alerts.exec(message) ?? [];
  // Servers refuse it with a word of their own, or just hang up.
  if (isCertificateOver) return ["SCALER_FORBIDDEN", `the certificate in tls.cert has expired: renew it (${message})`];
  if (alert !== undefined) {
    return ["SCALER_FORBIDDEN", `${endpoint} refuses the client certificate (${alert}): renew tls.cert and tls.key`];
  }
  if (levelOf(error) === "client-authentication") {
    return ["SCALER_FORBIDDEN", `${endpoint} refuses the login: give the right user and ssh.privateKey`];
  }
  if (error instanceof SyntaxError) return ["SCALER_INTERNAL", `${endpoint} answered no JSON: ${message}`];
  return ["SCALER_UNAVAILABLE", `the connection to ${endpoint} failed: ${message}`];
}

/** Why a wanted container does not run, as the engine says it; undefined while it may still come. */
export function failureOf({ Name, State, RestartCount }: InspectedContainer): ResourceFailure | undefined {
  if (State.Status === "restarting" && RestartCount >= crashLoopRestarts) {
    const message = `container ${Name} was restarted ${String(RestartCount)} times and ended again, ${exitOf(State)}`;
    return failure("SCALER_CRASH_LOOP", message);
  }
  if (State.Status === "exited" || State.Status === "dead") {
    return failure("SCALER_START_FAILED", `container ${Name} ended ${exitOf(State)}`);
  }
  // The health of one that does not run is of the run before.
  if (State.Status !== "running" || State.Health?.Status !== "unhealthy") return undefined;
  const output = State.Health.Log?.at(-1)?.Output.trim() ?? "";
  const said = output === "" ? "" : `; its health check says: ${output}`;
  return failure("SCALER_START_FAILED", `container ${Name} is unhealthy${said}`);
}

/** A container that restarts so often is in a loop; a first restart may be bad luck. */
const crashLoopRestarts = 2;

/** What a start, or the making of a replica, failed with. */
export function toStartFailure(error: unknown): ResourceFailure {
  const code = isScalerError(error) ? error.code : "SCALER_INTERNAL";
  // The engine reports what keeps a program from running as an error of its own.
  const told = code === "SCALER_INTERNAL" || code === "SCALER_BAD_ARGUMENT" ? "SCALER_START_FAILED" : code;
  return failure(told, error instanceof Error ? error.message : String(error));
}

/** A running container that nobody can dial. */
export function toNoAddressFailure(name: string, why: string): ResourceFailure {
  return failure("SCALER_START_FAILED", `container ${name} runs, but cannot be reached: ${why}`);
}

/** Why a resource is left alone. */
export function toRefusal(problem: string, code: ErrorCode = "SCALER_BAD_OPTIONS"): ResourceFailure {
  return { code, message: problem.slice(0, 2 * longestMessage) };
}

function exitOf({ ExitCode, OOMKilled, Error: said }: InspectedContainer["State"]): string {
  const memory = OOMKilled === true ? ", out of memory" : "";
  return `with exit code ${String(ExitCode)}${memory}${said === "" ? "" : `: ${said}`}`;
}

function failure(code: ErrorCode, message: string): ResourceFailure {
  return { code, message: cut(message) };
}

function cut(message: string): string {
  return message.length > longestMessage ? `${message.slice(0, longestMessage)}…` : message;
}

function statusOf(error: unknown): number | undefined {
  const status: unknown = error instanceof Error ? Reflect.get(error, "statusCode") : undefined;
  return typeof status === "number" ? status : undefined;
}

/** The engine's own words, without what the client puts around them. */
function messageOf(error: unknown): string {
  const json: unknown = error instanceof Error ? Reflect.get(error, "json") : undefined;
  const said: unknown = typeof json === "object" && json !== null ? Reflect.get(json, "message") : undefined;
  if (typeof said === "string" && said !== "") return said;
  return error instanceof Error ? error.message.trim() : String(error);
}

function codeOf(error: unknown): string | undefined {
  const code: unknown = error instanceof Error ? Reflect.get(error, "code") : undefined;
  return typeof code === "string" ? code : undefined;
}

function levelOf(error: unknown): unknown {
  return error instanceof Error ? Reflect.get(error, "level") : undefined;
}

function causeOf(error: unknown): unknown {
  return error instanceof Error && isScalerError(error.cause) ? error.cause : error;
}
