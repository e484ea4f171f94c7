import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { ConfigIssue } from "./config-error.ts";
import { describeIssue, type SchemaIssue } from "./describe-issue.ts";
import { formatPlace } from "./format-place.ts";
import { knownKeys } from "./known-keys.ts";
import { nearestWord } from "./nearest-word.ts";

/** What a schema refused and where it stands. */
export interface RefusedValue {
  readonly schema?: StandardSchemaV1;
  /** The value as it was written, before the schema changed it. */
  readonly written: unknown;
  /** Where the value stands; the issues' places are below it. */
  readonly place: string;
  /** How a path below the value is written; left out: as keys and indexes. */
  readonly toPlace?: (path: readonly PropertyKey[]) => string;
}

/** Turns the issues of any Standard Schema into ours: one line each, with the place and, where it is clear, the mend. */
export function toConfigIssues(issues: readonly StandardSchemaV1.Issue[], refused: RefusedValue): ConfigIssue[] {
  return issues.flatMap((issue) => expand(issue as SchemaIssue)).map((issue) => toConfigIssue(issue, refused));
}

function toConfigIssue(issue: SchemaIssue, refused: RefusedValue): ConfigIssue {
  const path = pathOf(issue);
  const place = refused.toPlace?.(path) ?? formatPlace(refused.place, path);
  const described = describeIssue(issue, valueAt(refused.written, path));
  const mend = described.mend ?? mendOfKey(path, refused.schema);
  return { place, problem: described.problem, ...(mend !== undefined && { mend }) };
}

/** One issue for each unknown key, and for a union the issues of the member that was meant. */
function expand(issue: SchemaIssue): SchemaIssue[] {
  const path = pathOf(issue);
  if (issue.code === "unrecognized_keys") {
    return (issue.keys ?? []).map((key) => ({ message: "is no known key", path: [...path, key] }));
  }
  const meant =
    issue.code === "invalid_union" && issue.message === "Invalid input" ? memberMeant(issue.errors ?? []) : undefined;
  if (meant === undefined) return [issue];
  return meant.flatMap((inner) => expand({ ...inner, path: [...path, ...pathOf(inner)] }));
}

/** The member that fits in form and has the fewest issues. */
function memberMeant(members: readonly (readonly SchemaIssue[])[]): readonly SchemaIssue[] | undefined {
  const fitting = members.filter(
    (issues) => !issues.some((issue) => issue.code === "invalid_type" && pathOf(issue).length === 0),
  );
  return fitting.toSorted((one, other) => one.length - other.length)[0];
}

function pathOf(issue: StandardSchemaV1.Issue): PropertyKey[] {
  return (issue.path ?? []).map((segment) => (typeof segment === "object" ? segment.key : segment));
}

function valueAt(written: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined),
    written,
  );
}

/** The known key that was meant, where the last key of a path is none. */
function mendOfKey(path: readonly PropertyKey[], schema: StandardSchemaV1 | undefined): string | undefined {
  const key = path.at(-1);
  if (typeof key !== "string") return undefined;
  const known = knownKeys(schema, path.slice(0, -1));
  if (known.length === 0 || known.includes(key)) return undefined;
  const nearest = nearestWord(key, known);
  if (nearest !== undefined) return `did you mean "${nearest}"?`;
  return known.length <= 12 ? `known here: ${known.join(", ")}` : undefined;
}
