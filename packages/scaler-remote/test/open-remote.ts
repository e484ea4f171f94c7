import { join } from "node:path";
import {
  defaultPolicy,
  type GuardedScaler,
  type Logger,
  openScaler,
  type ScalerError,
  systemClock,
  toScalerError,
} from "@dormouse/core";
import { onTestFinished, vi } from "vitest";
import { scaler as plugin } from "../src/index.ts";

/** The folder of the Python example. */
export const exampleFolder = new URL("../../../examples/remote-scaler/", import.meta.url).pathname;

/** A program of the tests. */
export const fixture = (name: string): string => join(import.meta.dirname, "fixtures", name);

/** One line of a log. */
export interface LogLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
  readonly fields: object;
}

/** A logger that keeps everything. */
function recordingLogger(lines: LogLine[]): Logger {
  const at = (level: LogLine["level"]) => (fields: object, message: string) =>
    void lines.push({ level, message, fields });
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: () => recordingLogger(lines),
  };
}

/** A scaler behind core's guard, closed after the test. */
export async function openRemote(options: object, logs: LogLine[] = [], id = "far"): Promise<GuardedScaler> {
  const context = { id, logger: recordingLogger(logs), clock: systemClock, defaults: defaultPolicy };
  const scaler = await openScaler(plugin, options, context);
  onTestFinished(() => scaler[Symbol.asyncDispose]());
  return scaler;
}

/** Polls until the callback does not throw. */
export function eventually<Result>(check: () => Result | Promise<Result>): Promise<Result> {
  return vi.waitFor(check, { timeout: 20_000, interval: 10 });
}

/** What a call rejects with. */
export async function failureOf(call: Promise<unknown>): Promise<ScalerError> {
  return call.then(
    () => Promise.reject(new Error("the call resolved")),
    (reason: unknown) => toScalerError(reason, "CONFIG_INVALID"),
  );
}

/** The code and the message of what a call rejects with. */
export async function complaintOf(call: Promise<unknown>): Promise<string> {
  const { code, message } = await failureOf(call);
  return `${code}: ${message}`;
}
