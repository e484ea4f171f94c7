import { type LocalRef, type ResourceFailure, ScalerError } from "@dormouse/core";
import { errorMessage } from "./error-message.ts";
import { systemErrorCode } from "./system-error-code.ts";

/** How a process ended, and the last lines that it wrote to stderr. */
export interface Exit {
  /** Exit code; null where a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly lastLines: readonly string[];
}

/** `SCALER_NOT_FOUND`, naming the resource. */
export function toNotFoundError(ref: LocalRef): ScalerError {
  return new ScalerError("SCALER_NOT_FOUND", `no resource ${ref.namespace}/${ref.name} is configured`);
}

/** `SCALER_CONFLICT`, with both versions. */
export function toConflictError(ref: LocalRef, expected: string, found: string): ScalerError {
  const message = `${ref.namespace}/${ref.name} is at version ${found}, not at ${expected} any more`;
  return new ScalerError("SCALER_CONFLICT", message);
}

/** `SCALER_ABORTED`, with the signal's reason as its cause. */
export function toAbortedError(signal: AbortSignal): ScalerError {
  return new ScalerError("SCALER_ABORTED", "the call was given up", { cause: signal.reason });
}

/** A failure to spawn, in the words of whoever wrote the command. */
export function toSpawnError(
  error: unknown,
  command: string,
  cwd: string | undefined,
  cwdExists: boolean,
): ScalerError {
  const code = systemErrorCode(error);
  return new ScalerError("SCALER_START_FAILED", describeSpawnError(code, error, command, cwdExists ? undefined : cwd), {
    cause: error,
  });
}

function describeSpawnError(code: unknown, error: unknown, command: string, missing: string | undefined): string {
  if (missing !== undefined) return `the working directory "${missing}" does not exist: create it or correct cwd`;
  switch (code) {
    case "ENOENT":
      return `the command "${command}" was not found: check its spelling, install it or give its full path`;
    case "EACCES":
      return `the command "${command}" may not be run: make the file executable (chmod +x) or name its interpreter first`;
    case "EAGAIN":
    case "EMFILE":
    case "ENFILE":
    case "ENOMEM":
      return `the machine has no room for another process (${code}): raise its limits (ulimit -u, ulimit -n) or stop something`;
    default:
      return `the command "${command}" could not be run: ${errorMessage(error)}`;
  }
}

/** A fixed port that somebody else listens on. */
export function toPortTakenError(port: number): ScalerError {
  const mend = "stop what listens there, or leave port out to get a free one";
  return new ScalerError("SCALER_START_FAILED", `port ${port} is taken by another process: ${mend}`);
}

/** No automatic port left. */
export function toNoPortError(from: number, to: number): ScalerError {
  const message = `no port from ${from} to ${to} is free: give ports a wider range`;
  return new ScalerError("SCALER_START_FAILED", message);
}

/** Why a process that ended before it accepted a connection did not start. */
export function toStartFailure(exit: Exit, command: string, port: number): ResourceFailure {
  const hint = exit.code === 0 ? ". A program that goes to the background must be told to stay in the foreground" : "";
  const message = `"${command}" ended with ${describeExit(exit)} before it accepted a connection on port ${port}${hint}`;
  return { code: "SCALER_START_FAILED", message: withLastLines(message, exit) };
}

/** Why a process that starts, and soon ends again, is not started at once any more. */
export function toCrashLoop(exit: Exit, command: string, deaths: number): ResourceFailure {
  const message = `"${command}" started and soon ended ${deaths} times in a row, now with ${describeExit(exit)}`;
  return { code: "SCALER_CRASH_LOOP", message: withLastLines(message, exit) };
}

/** What a failed start tells of itself. */
export function toFailure(error: ScalerError): ResourceFailure {
  return { code: error.code, message: error.message };
}

function describeExit({ code, signal }: Exit): string {
  return signal === null ? `exit code ${code ?? "unknown"}` : `signal ${signal}`;
}

function withLastLines(message: string, { lastLines }: Exit): string {
  if (lastLines.length === 0) return `${message}; it wrote nothing to stderr`;
  return [`${message}; its last lines on stderr:`, ...lastLines.map((line) => `  ${line}`)].join("\n");
}

/** Whether a process ended because its port was not free, as servers of all kinds say it. */
export function isPortClash(exit: Exit): boolean {
  return exit.lastLines.some((line) => /EADDRINUSE|address already in use/i.test(line));
}
