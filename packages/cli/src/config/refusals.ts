import { type ConfigIssue, isConfigError, isScalerError } from "@dormouse/core";
import type { Override } from "./override.ts";
import { parsePlace } from "./parse-place.ts";
import type { Problem } from "./problem.ts";
import { RefusedConfig } from "./refused-config.ts";
import type { YamlSource } from "./yaml-source.ts";

/** Turns what is wrong with one configuration into refusals that say where each thing was written. */
export interface Refusals {
  /**
   * What a step threw about this configuration, as a refusal; undefined where it is about something else.
   * @param place where it stands, for errors that do not say so themselves
   */
  refuse(error: unknown, place?: string): RefusedConfig | undefined;
  /** A refusal of just these issues. */
  refuseIssues(issues: readonly ConfigIssue[]): RefusedConfig;
}

export function createRefusals(source: YamlSource, overrides: readonly Override[]): Refusals {
  const locate = (place: string): string => {
    const path = parsePlace(place) ?? [];
    return overrides.findLast((each) => isAt(path, each.path))?.origin ?? source.locate(path);
  };
  const refuseIssues = (issues: readonly ConfigIssue[], cause?: unknown): RefusedConfig =>
    new RefusedConfig(
      issues.map((issue): Problem => ({ origin: locate(issue.place), ...issue })),
      cause,
    );
  return {
    refuseIssues: (issues) => refuseIssues(issues),
    refuse: (error, place = "") => {
      if (error instanceof RefusedConfig) return error;
      if (isConfigError(error)) return refuseIssues(error.issues, error);
      return isConfigMistake(error) ? refuseIssues([{ place, problem: error.message }], error) : undefined;
    },
  };
}

/** Whether a path is an override's own or below it. */
function isAt(path: readonly (string | number)[], overridden: readonly (string | number)[]): boolean {
  return path.length >= overridden.length && overridden.every((key, index) => path[index] === key);
}

/** Codes that only another configuration or another plugin mends. */
function isConfigMistake(error: unknown): error is Error {
  if (!isScalerError(error)) return false;
  return error.code.startsWith("PLUGIN_") || error.code === "CONFIG_INVALID" || error.code === "SCALER_BAD_OPTIONS";
}
