import type { PartialPolicy } from "./policy.ts";

/*
 * A policy as a flat map of texts: labels, annotations, tags. Keys are kebab-case behind a prefix, nested ones joined by
 * `-`: `readiness-path`. Lists are comma-separated; a backslash takes the next character as it is, so that `\,` is no
 * separator. `headers`, `idle-rules`, `scale-up-policies` and `scale-down-policies` are JSON. Keys are found in any case, since Azure keeps none.
 */

/** How a label's text stands for a value. */
export type LabelForm = "flag" | "text" | "duration" | "number" | "decimal" | "list" | "json";

/** One label that a policy knows. */
export interface PolicyLabelKey {
  /** Without the prefix: `never-wake-paths`. */
  readonly name: string;
  /** Where its value stands in the policy. */
  readonly path: readonly [keyof PartialPolicy, string?];
  readonly form: LabelForm;
}

type NestedKey = "readiness" | "neverWake" | "target" | "scaleUp" | "scaleDown" | "flapGuard";

const forms: Readonly<Record<Exclude<keyof PartialPolicy, NestedKey>, LabelForm>> = {
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
  minReplicas: "number",
  maxReplicas: "number",
  cooldown: "duration",
};

const scalingForms = { stabilizationWindow: "duration", selectPolicy: "text", policies: "json" } as const;

const nestedForms = {
  readiness: { path: "text", status: "number" },
  neverWake: { paths: "list", userAgents: "list", networks: "list", status: "number" },
  target: {
    metric: "text",
    value: "decimal",
    valueKind: "text",
    tolerance: "decimal",
    toleranceKind: "text",
    source: "text",
    window: "duration",
  },
  scaleUp: scalingForms,
  scaleDown: scalingForms,
  flapGuard: { reversals: "number", window: "duration" },
} as const satisfies Record<NestedKey, Readonly<Record<string, LabelForm>>>;

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
