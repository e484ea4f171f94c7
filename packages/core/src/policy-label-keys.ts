import type { PartialPolicy } from "./policy.ts";

/*
 * A policy as a flat map of texts: labels, annotations, tags. Keys are kebab-case behind a prefix, nested ones joined by
 * `-`: `readiness-path`. Lists are comma-separated; a backslash takes the next character as it is, so that `\,` is no
 * separator. `headers` and `idle-rules` are JSON. Keys are found in any case, since Azure keeps none.
 */

/** How a label's text stands for a value. */
export type LabelForm = "flag" | "text" | "duration" | "number" | "list" | "json";

/** One label that a policy knows. */
export interface PolicyLabelKey {
  /** Without the prefix: `never-wake-paths`. */
  readonly name: string;
  /** Where its value stands in the policy. */
  readonly path: readonly [keyof PartialPolicy, string?];
  readonly form: LabelForm;
}

const forms: Readonly<Record<Exclude<keyof PartialPolicy, "readiness" | "neverWake">, LabelForm>> = {
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
} as const satisfies Record<string, Readonly<Record<string, LabelForm>>>;

/** Every label, in the order of the policy's keys. */
export const policyLabelKeys: readonly PolicyLabelKey[] = [
  ...Object.entries(forms).map(([key, form]) => toLabelKey([key as keyof PartialPolicy], form)),
  ...Object.entries(nestedForms).flatMap(([key, inner]) =>
    Object.entries(inner).map(([nested, form]) => toLabelKey([key as keyof PartialPolicy, nested], form)),
  ),
];

function toLabelKey(path: PolicyLabelKey["path"], form: LabelForm): PolicyLabelKey {
  const name = path.map((part) => (part ?? "").replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)).join("-");
  return { name, path, form };
}
