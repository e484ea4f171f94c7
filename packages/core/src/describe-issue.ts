import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { ConfigIssue } from "./config-error.ts";
import { nearestWord } from "./nearest-word.ts";

/** An issue of any schema library; the further members are those of zod, which tell more than its message. */
export interface SchemaIssue extends StandardSchemaV1.Issue {
  readonly code?: string;
  readonly keys?: readonly string[];
  readonly values?: readonly unknown[];
  readonly expected?: string;
  readonly origin?: string;
  readonly minimum?: number | bigint;
  readonly maximum?: number | bigint;
  readonly inclusive?: boolean;
  readonly errors?: readonly (readonly SchemaIssue[])[];
  readonly issues?: readonly SchemaIssue[];
}

type Description = Pick<ConfigIssue, "problem" | "mend">;

/** How zod's own messages begin; any other was written for the schema at hand and stays. */
const ownMessage = /^(Invalid|Too small|Too big|Unrecognized)\b/;

/**
 * The problem and its mend in words for whoever wrote the value. A message made for its schema is kept; one of the form
 * `problem; mend` is taken apart at the first `; `.
 *
 * @param written the value at the issue's place; shown only where a fixed set of values excludes secrets
 */
export function describeIssue(issue: SchemaIssue, written: unknown): Description {
  if (issue.code === "invalid_key" && issue.issues?.[0] !== undefined) return describeIssue(issue.issues[0], written);
  if (!ownMessage.test(issue.message)) return takeApart(issue.message);
  switch (issue.code ?? "") {
    case "invalid_type":
      return describeType(issue.expected ?? "", written);
    case "invalid_union":
      return describeUnion(issue, written);
    case "invalid_value":
      return describeChoice(issue.values ?? [], written);
    case "too_small":
    case "too_big":
      return { problem: describeSize(issue) };
    default:
      return { problem: describeOther(issue.message) };
  }
}

/** "Invalid string: must match …" and "Invalid URL" as what goes on after a place. */
function describeOther(message: string): string {
  const [, rest] = /^[^:]*: (.+)$/s.exec(message) ?? [];
  return rest ?? message.replace(/^Invalid /, "is no ");
}

function takeApart(message: string): Description {
  const at = message.indexOf("; ");
  return at < 0 ? { problem: message } : { problem: message.slice(0, at), mend: message.slice(at + 2) };
}

const formNames: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a mapping of keys",
  record: "a mapping of keys",
};

function describeType(expected: string, written: unknown): Description {
  const form = formNames[expected] ?? expected;
  if (written === undefined) return { problem: "is missing", mend: `give ${form}` };
  if (written === null) return { problem: "has no value", mend: `give ${form} or leave the key out` };
  const problem = `must be ${form}, not ${formOf(written)}`;
  const mend = mendOfType(expected, written);
  return mend === undefined ? { problem } : { problem, mend };
}

function mendOfType(expected: string, written: unknown): string | undefined {
  if (expected === "string" && (typeof written === "number" || typeof written === "boolean")) return "put it in quotes";
  if (expected === "array" && typeof written === "string") return "put it in brackets: [ … ]";
  if (typeof written !== "string") return undefined;
  const isNumber = (expected === "number" || expected === "int") && /^-?\d+(\.\d+)?$/.test(written);
  const isFlag = expected === "boolean" && (written === "true" || written === "false");
  return isNumber || isFlag ? "write it without quotes" : undefined;
}

function formOf(written: unknown): string {
  if (Array.isArray(written)) return "a list";
  if (typeof written === "number" && !Number.isFinite(written)) return String(written);
  if (typeof written === "number" && !Number.isInteger(written)) return "a fraction";
  return formNames[typeof written] ?? typeof written;
}

function describeUnion(issue: SchemaIssue, written: unknown): Description {
  const forms = (issue.errors ?? [])
    .flatMap((member) => member.slice(0, 1))
    .map((inner) => formNames[inner.expected ?? ""]);
  const known = [...new Set(forms.filter((form) => form !== undefined))];
  if (known.length === 0) return { problem: "is of no form that is known here" };
  return written === undefined
    ? { problem: "is missing", mend: `give ${known.join(" or ")}` }
    : { problem: `must be ${known.join(" or ")}, not ${formOf(written)}` };
}

function describeChoice(values: readonly unknown[], written: unknown): Description {
  const choices = values.map((value) => JSON.stringify(value)).join(", ");
  if (written === undefined || written === null) {
    return { problem: written === undefined ? "is missing" : "has no value", mend: `write one of ${choices}` };
  }
  const nearest =
    typeof written === "string"
      ? nearestWord(
          written,
          values.filter((value) => typeof value === "string"),
        )
      : undefined;
  const problem =
    typeof written === "string" && written.length <= 60
      ? `${JSON.stringify(written)} is not known here`
      : `must not be ${formOf(written)}`;
  return {
    problem,
    mend:
      nearest === undefined
        ? `write ${values.length === 1 ? "" : "one of "}${choices}`
        : `did you mean ${JSON.stringify(nearest)}? Known: ${choices}`,
  };
}

function describeSize({ code, origin, minimum, maximum, inclusive }: SchemaIssue): string {
  const isSmall = code === "too_small";
  const limit = String(isSmall ? minimum : maximum);
  if (origin === "string")
    return isSmall && limit === "1" ? "is empty" : `must have at ${isSmall ? "least" : "most"} ${limit} characters`;
  if (origin === "array" || origin === "set")
    return `must have at ${isSmall ? "least" : "most"} ${limit} ${limit === "1" ? "entry" : "entries"}`;
  if (inclusive === false) return `must be ${isSmall ? "above" : "below"} ${limit}`;
  return `must be at ${isSmall ? "least" : "most"} ${limit}`;
}
