import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { type DormouseConfig, parseConfig } from "@dormouse/core";
import { applyOverrides, type Override } from "./override.ts";
import { createRefusals, type Refusals } from "./refusals.ts";
import type { Problem } from "./problem.ts";
import { RefusedConfig } from "./refused-config.ts";
import { parseYaml, type YamlSource } from "./yaml-source.ts";

/** A configuration that is valid by its schema, and still knows where each key was written. */
export interface LoadedConfig extends Refusals {
  /** False: it is made from variables, and there is no file to read again. */
  readonly isFile: boolean;
  /** As it was given, for messages. */
  readonly file: string;
  /** Absolute. */
  readonly path: string;
  /** Absolute; relative paths in the file start here. */
  readonly folder: string;
  /** What the file says, to tell whether it has changed. */
  readonly text: string;
  readonly config: DormouseConfig;
}

export interface LoadOptions {
  /** Path of the file as it was given, for messages. */
  readonly file: string;
  /** The same, absolute; left out: `file` from the working directory. */
  readonly path?: string;
  /** What stands above the file, weakest first. */
  readonly overrides?: readonly Override[];
}

/**
 * Reads the file, puts the overrides on top and checks the whole by its schema.
 * @throws RefusedConfig with one problem for each thing that is wrong
 */
export async function loadConfig(options: LoadOptions): Promise<LoadedConfig> {
  const mend = 'give one with -c FILE, or write one with "dormouse init"';
  return parseConfigText(await readNamedFile(options.file, mend), options);
}

/** The same for a text that has been read already. */
export function parseConfigText(
  text: string,
  { file, path = resolve(file), overrides = [] }: LoadOptions,
): LoadedConfig {
  const source = parseYaml(text, file);
  const refusals = createRefusals(source, overrides);
  const config = parseOverridden(source, overrides, { file, refusals });
  return { isFile: true, file, path, folder: dirname(path), text, config, ...refusals };
}

/**
 * Puts the overrides on top of what was written and checks the whole by its schema.
 * @throws RefusedConfig with one problem for each thing that is wrong
 */
export function parseOverridden(
  source: YamlSource,
  overrides: readonly Override[],
  { file, refusals }: { readonly file: string; readonly refusals: Refusals },
): DormouseConfig {
  try {
    return parseConfig(applyOverrides(source.value, overrides), file);
  } catch (error) {
    throw refusals.refuse(error) ?? error;
  }
}

/** Reads a file that somebody named. @throws RefusedConfig that says what is wrong with it */
export async function readNamedFile(file: string, mendAbsent: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new RefusedConfig([{ origin: file, place: "", ...describeReadError(error, mendAbsent) }], error);
  }
}

function describeReadError(error: unknown, mendAbsent: string): Pick<Problem, "problem" | "mend"> {
  const code = error instanceof Error ? String(Reflect.get(error, "code")) : "";
  if (code === "ENOENT") return { problem: "does not exist", mend: mendAbsent };
  if (code === "EISDIR") return { problem: "is a folder", mend: "name the file in it" };
  return { problem: `cannot be read (${code || String(error)})`, mend: "check its permissions" };
}
