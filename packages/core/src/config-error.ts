import { joinPlaces } from "./format-place.ts";

const brand = Symbol.for("dormouse.dev/config-error");

/** One thing that is wrong with a configuration, a policy or a plugin's options. */
export interface ConfigIssue {
  /** Where it stands, for example `scalers[0].options.resources[2].policy.idleAfter`; empty: the whole. */
  readonly place: string;
  /** What is wrong, in words that go on after the place: "is no known key". */
  readonly problem: string;
  /** What to write instead: `did you mean "idleAfter"?`. */
  readonly mend?: string;
}

/** Says that what somebody wrote is not usable, as a whole list with one line per issue. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly [brand] = true;
  readonly issues: readonly ConfigIssue[];
  /** File that it stands in, where one is known. */
  declare readonly file?: string;

  /** @param issues at least one */
  constructor(issues: readonly ConfigIssue[], options: { readonly file?: string; readonly cause?: unknown } = {}) {
    super(
      issues.map((issue) => formatIssue(issue, options.file)).join("\n"),
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.issues = issues;
    if (options.file !== undefined) this.file = options.file;
  }
}

/** Whether a value is a ConfigError of this or another installed copy of core. */
export function isConfigError(value: unknown): value is ConfigError {
  return value instanceof Error && Reflect.get(value, brand) === true && Array.isArray(Reflect.get(value, "issues"));
}

/** One issue as one line: place, problem, mend. */
export function formatIssue(issue: ConfigIssue, file?: string): string {
  const where = [file, issue.place].filter((part) => part !== undefined && part !== "").join(": ");
  const what = issue.mend === undefined ? issue.problem : `${issue.problem}; ${issue.mend}`;
  return where === "" ? what : `${where}: ${what}`;
}

/** The same error with every place below another one: `idleAfter` becomes `scalers[0].options.idleAfter`. */
export function toConfigErrorBelow(place: string, error: ConfigError): ConfigError {
  const issues = error.issues.map((issue) => ({ ...issue, place: joinPlaces(place, issue.place) }));
  return new ConfigError(issues, { ...(error.file !== undefined && { file: error.file }), cause: error });
}
