import { type ConfigIssue, ConfigError } from "./config-error.ts";
import { formatDuration } from "./duration.ts";
import { nearestWord } from "./nearest-word.ts";
import { mergePolicy } from "./parse-policy.ts";
import { type PartialPolicy, type Policy, policySchema } from "./policy.ts";
import { toConfigIssues } from "./to-config-issues.ts";

/*
 * A policy as a flat map of texts: labels, annotations, tags. Keys are kebab-case behind a prefix, nested ones joined by
 * `-`: `readiness-path`. Lists are comma-separated; a backslash takes the next character as it is, so that `\,` is no
 * separator. `headers` and `idle-rules` are JSON. Keys are found in any case, since Azure keeps none.
 */

type Form = "flag" | "text" | "duration" | "number" | "list" | "json";
type Path = readonly [keyof PartialPolicy, string?];

const forms: Readonly<Record<Exclude<keyof PartialPolicy, "readiness" | "neverWake">, Form>> = {
  enabled: "flag",
  hosts: "list",
  pathPrefix: "text",
  headers: "json",
  port: "text",
  listen: "list",
  idleAfter: "duration",
  streamIdleAfter: "duration",
  idleRules: "json",
  routing: "text",
  minAwake: "duration",
  holdTimeout: "duration",
  wakeTimeout: "duration",
  responseTimeout: "duration",
  drainTimeout: "duration",
  maxHeld: "number",
  releaseConcurrency: "number",
  maxConcurrency: "number",
  waitingPage: "text",
  dependsOn: "list",
  sleep: "text",
};

const nestedForms = {
  readiness: { path: "text", status: "number" },
  neverWake: { paths: "list", userAgents: "list", networks: "list", status: "number" },
} as const satisfies Record<string, Readonly<Record<string, Form>>>;

interface LabelKey {
  readonly name: string;
  readonly path: Path;
  readonly form: Form;
}

const labelKeys: readonly LabelKey[] = [
  ...Object.entries(forms).map(([key, form]) => toLabelKey([key as keyof PartialPolicy], form)),
  ...Object.entries(nestedForms).flatMap(([key, inner]) =>
    Object.entries(inner).map(([nested, form]) => toLabelKey([key as keyof PartialPolicy, nested], form)),
  ),
];

const labelKeyByName: ReadonlyMap<string, LabelKey> = new Map(labelKeys.map((key) => [key.name, key]));

export interface PolicyLabelsOptions {
  /** Names under the same prefix that the platform's scaler reads itself, without the prefix, for example `service`. */
  readonly own?: readonly string[];
}

/**
 * Reads a resource's policy from labels, annotations or tags; those without the prefix belong to others and are ignored.
 *
 * @param prefix `"dormouse.dev/"`, or `"dormouse-"` where names have no `/`
 * @param place what carries the labels; places of issues are `${place}: dormouse.dev/idle-after`
 * @throws ConfigError that names every unknown label and every wrong value
 */
export function parsePolicyLabels(
  labels: Readonly<Record<string, string>>,
  prefix: string,
  defaults: Policy,
  place: string,
  options: PolicyLabelsOptions = {},
): Policy {
  const issues: ConfigIssue[] = [];
  const raw: Record<string, unknown> = {};
  const written = new Map<string, string>();
  for (const [label, value] of Object.entries(labels)) {
    const name = nameBehind(label, prefix);
    if (name === undefined || options.own?.includes(name) === true) continue;
    const at = placeOfLabel(place, label);
    const key = labelKeyByName.get(name);
    if (key === undefined) issues.push(unknownLabel(at, name, prefix, options.own ?? []));
    else if (written.has(name))
      issues.push({ place: at, problem: `says the same as ${written.get(name)}`, mend: "keep one of them" });
    else {
      written.set(name, label);
      readInto(raw, key, value, at, issues);
    }
  }
  const parsed = policySchema.safeParse(raw);
  const toPlace = (path: readonly PropertyKey[]): string => placeOfPath(path, place, prefix, written);
  if (!parsed.success) issues.push(...toConfigIssues(parsed.error.issues, { written: raw, place, toPlace }));
  if (issues.length > 0 || !parsed.success) throw new ConfigError(issues);
  return mergePolicy(parsed.data, defaults);
}

function nameBehind(label: string, prefix: string): string | undefined {
  const lower = label.toLowerCase();
  return lower.startsWith(prefix.toLowerCase()) ? lower.slice(prefix.length) : undefined;
}

function unknownLabel(place: string, name: string, prefix: string, own: readonly string[]): ConfigIssue {
  const nearest = nearestWord(name, [...labelKeyByName.keys(), ...own]);
  return {
    place,
    problem: "is no known label",
    ...(nearest !== undefined && { mend: `did you mean "${prefix}${nearest}"?` }),
  };
}

function readInto(
  raw: Record<string, unknown>,
  key: LabelKey,
  text: string,
  place: string,
  issues: ConfigIssue[],
): void {
  const value = fromText(text, key.form);
  if (value === undefined) {
    issues.push({ place, problem: "is no JSON", mend: `write for example ${jsonExamples[key.name] ?? "[]"}` });
    return;
  }
  const [outer, inner] = key.path;
  if (inner === undefined) raw[outer] = value;
  else raw[outer] = { ...(raw[outer] as object | undefined), [inner]: value };
}

const jsonExamples: Readonly<Record<string, string>> = {
  headers: '{"x-tenant":"blue"}',
  "idle-rules": '[{"metric":"requests","window":"5m","threshold":0}]',
};

/** Undefined where JSON was to be and is not. What is no flag or number stays text, for the schema to refuse. */
function fromText(text: string, form: Form): unknown {
  switch (form) {
    case "flag":
      return { true: true, false: false }[text.trim().toLowerCase()] ?? text;
    case "number":
      return /^\s*\d+\s*$/.test(text) ? Number(text) : text;
    case "duration":
      return text.trim();
    case "list":
      return splitList(text);
    case "json":
      return fromJson(text);
    case "text":
      return text;
  }
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function splitList(text: string): string[] {
  const entries: string[] = text.match(/(?:\\[\s\S]|[^,\\]|\\$)+/g) ?? [];
  return entries
    .map(trimEntry)
    .filter((entry) => entry !== "")
    .map((entry) => entry.replaceAll(/\\([\s\S])/g, "$1"));
}

/** Takes spaces away at both ends, but never one behind a backslash. */
function trimEntry(entry: string): string {
  return entry.trimStart().replace(/((?:\\[\s\S]|[^\s\\])?)\s*$/, "$1");
}

function placeOfLabel(place: string, label: string): string {
  return place === "" ? label : `${place}: ${label}`;
}

/** The label behind a path of the policy, as it was written where it was; what is left of the path stands behind it. */
function placeOfPath(
  path: readonly PropertyKey[],
  place: string,
  prefix: string,
  written: ReadonlyMap<string, string>,
): string {
  const key = labelKeys.find((each) => each.path.every((part, index) => part === path[index]));
  if (key === undefined) return place;
  const rest = path.slice(key.path.length).map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`));
  return placeOfLabel(place, (written.get(key.name) ?? `${prefix}${key.name}`) + rest.join(""));
}

export interface FormatLabelsOptions {
  /** The most characters that a value may have: 256 on Azure. */
  readonly longestValue?: number;
}

/**
 * A policy as labels, such that `parsePolicyLabels` reads the same. Only keys that are given are written.
 * @throws ConfigError where a value is longer than the platform allows
 */
export function formatPolicyLabels(
  policy: PartialPolicy,
  prefix: string,
  options: FormatLabelsOptions = {},
): Record<string, string> {
  const entries = labelKeys.flatMap(({ name, path: [outer, inner], form }) => {
    const value: unknown = inner === undefined ? policy[outer] : valueIn(policy[outer], inner);
    return value === undefined ? [] : [[`${prefix}${name}`, toText(name, value, form)] as const];
  });
  const issues = entries.flatMap(([label, text]) =>
    tooLong(label, text, options.longestValue ?? Number.POSITIVE_INFINITY),
  );
  if (issues.length > 0) throw new ConfigError(issues);
  return Object.fromEntries(entries);
}

function valueIn(outer: unknown, key: string): unknown {
  return typeof outer === "object" && outer !== null ? Reflect.get(outer, key) : undefined;
}

function tooLong(label: string, text: string, longest: number): ConfigIssue[] {
  if (text.length <= longest) return [];
  return [
    {
      place: label,
      problem: `needs ${text.length} characters, and the platform keeps ${longest}`,
      mend: "say less here, or put it in the scaler's options",
    },
  ];
}

function toText(name: string, value: unknown, form: Form): string {
  if (name === "idle-rules")
    return JSON.stringify(
      (value as Policy["idleRules"]).map((rule) => ({ ...rule, window: formatDuration(rule.window) })),
    );
  if (form === "json") return JSON.stringify(value);
  if (form === "duration") return formatDuration(value as number);
  if (form === "list") return (value as readonly string[]).map(escapeEntry).join(",");
  return String(value);
}

/** Spaces count at the ends of an entry only when escaped. */
function escapeEntry(entry: string): string {
  return entry.replaceAll(/[\\,]|^\s+|\s+$/g, (found) => found.replaceAll(/[\s\S]/g, "\\$&"));
}

function toLabelKey(path: Path, form: Form): LabelKey {
  const name = path.map((part) => (part ?? "").replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)).join("-");
  return { name, path, form };
}
