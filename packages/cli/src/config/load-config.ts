import { readFile } from "node:fs/promises";
import { dirname, relative, resolve } from "node:path";
import { type ConfigIssue, type DormouseConfig, isConfigError, isScalerError, parseConfig } from "@dormouse/core";
import { applyOverrides, type Override } from "./override.ts";
import { parsePlace } from "./parse-place.ts";
import type { Problem } from "./problem.ts";
import { RefusedConfig } from "./refused-config.ts";
import { parseYaml } from "./yaml-source.ts";

/** A configuration that is valid by its schema, and still knows where each key was written. */
export interface LoadedConfig {
  /** As it was given, for messages. */
  readonly file: string;
  /** Absolute; relative paths in the file start here. */
  readonly folder: string;
  /** What the file says, to tell whether it has changed. */
  readonly text: string;
  readonly config: DormouseConfig;
  /** Turns what a later step threw about this configuration into a refusal with places; undefined where it is about something else. */
  refuse(error: unknown, place?: string): RefusedConfig | undefined;
  /** A refusal of just these issues. */
  refuseIssues(issues: readonly ConfigIssue[]): RefusedConfig;
}

export interface LoadOptions {
  /** Path of the file, relative to the working directory. */
  readonly file: string;
  /** What stands above the file, weakest first. */
  readonly overrides?: readonly Override[];
}

/**
 * Reads the file, puts the overrides on top and checks the whole by its schema.
 * @throws RefusedConfig with one problem for each thing that is wrong
 */
export async function loadConfig({ file, overrides = [] }: LoadOptions): Promise<LoadedConfig> {
  return parseConfigText(await readText(file), { file, overrides });
}

/** The same for a text that has been read already. */
export function parseConfigText(text: string, { file, overrides = [] }: LoadOptions): LoadedConfig {
  const source = parseYaml(text, file);
  const locate = (place: string): string => {
    const path = parsePlace(place) ?? [];
    return overrides.findLast((each) => isAt(path, each.path))?.origin ?? source.locate(path);
  };
  const refuseIssues = (issues: readonly ConfigIssue[], cause?: unknown): RefusedConfig =>
    new RefusedConfig(
      issues.map((issue): Problem => ({ origin: locate(issue.place), ...issue })),
      cause,
    );
  const refuse = (error: unknown, place = ""): RefusedConfig | undefined => {
    if (error instanceof RefusedConfig) return error;
    if (isConfigError(error)) return refuseIssues(error.issues, error);
    return isConfigMistake(error) ? refuseIssues([{ place, problem: error.message }], error) : undefined;
  };
  const folder = dirname(resolve(file));
  try {
    const config = parseConfig(applyOverrides(source.value, overrides), file);
    return { file, folder, text, config, refuse, refuseIssues };
  } catch (error) {
    throw refuse(error) ?? error;
  }
}

/** Whether a path is an override's own or below it. */
function isAt(path: readonly (string | number)[], overridden: readonly (string | number)[]): boolean {
  return path.length >= overridden.length && overridden.every((key, index) => path[index] === key);
}

/** Codes that only another configuration or another plugin mends. */
function isConfigMistake(error: unknown): error is Error {
  return (
    isScalerError(error) &&
    (error.code.startsWith("PLUGIN_") || error.code === "CONFIG_INVALID" || error.code === "SCALER_BAD_OPTIONS")
  );
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new RefusedConfig([{ origin: file, place: "", ...describeReadError(error, file) }], error);
  }
}

function describeReadError(error: unknown, file: string): Pick<Problem, "problem" | "mend"> {
  const code = error instanceof Error ? String(Reflect.get(error, "code")) : "";
  if (code === "ENOENT") {
    const where = relative(process.cwd(), dirname(resolve(file))) || "this folder";
    return { problem: "does not exist", mend: `give one with -c FILE, or write one in ${where} with "dormouse init"` };
  }
  if (code === "EISDIR") return { problem: "is a folder", mend: "name the file in it" };
  return { problem: `cannot be read (${code || String(error)})`, mend: "check its permissions" };
}
