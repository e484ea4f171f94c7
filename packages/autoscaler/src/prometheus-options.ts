import { isAbsolute } from "node:path";
import { durationSchema } from "@dormouse/core";
import { z } from "zod";

/** Factors from what a query answers in to the metric's base unit. */
const unitFactors = {
  one: 1,
  milli: 1e-3,
  percent: 1e-2,
  seconds: 1,
  milliseconds: 1e-3,
  microseconds: 1e-6,
  nanoseconds: 1e-9,
  bytes: 1,
  kilobytes: 1e3,
  kibibytes: 2 ** 10,
  megabytes: 1e6,
  mebibytes: 2 ** 20,
  gigabytes: 1e9,
  gibibytes: 2 ** 30,
} as const;

type Unit = keyof typeof unitFactors;

const placeholders = ["window", "namespace", "names"];

const queryText = z
  .string()
  .min(1)
  .refine(
    (text) => [...text.matchAll(/\{\{([^}]*)\}\}/g)].every((match) => placeholders.includes((match[1] ?? "").trim())),
    {
      error: "has an unknown placeholder; known are {{window}}, {{namespace}} and {{names}}",
    },
  );

const labelName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "is no label name; use letters, digits and _");

const metricSchema = z.strictObject({
  query: queryText.meta({
    description:
      'PromQL with one series a resource, e.g. max by (namespace, name) (max_over_time(open{namespace=~"{{namespace}}", name=~"{{names}}"}[{{window}}]))',
  }),
  age: queryText.optional().meta({
    description:
      "PromQL with the age of the newest measurement in seconds, with the same labels, e.g. time() - max by (namespace, name) (timestamp(open))",
  }),
  label: labelName.default("name").meta({ description: "Label of the result that holds the resource's name" }),
  namespaceLabel: labelName
    .default("namespace")
    .meta({ description: "Label of the result that holds the resource's namespace" }),
  unit: z
    .enum(Object.keys(unitFactors) as [Unit, ...Unit[]])
    .default("one")
    .meta({ description: "What the query answers in; thresholds are in the base unit" }),
});

const headerName = z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, "is no header name");

const headerValue = z.string().regex(/^[^\r\n\0]*$/, "is no header value; it must be one line");

const absolutePath = z.string().refine((path) => isAbsolute(path), { error: "must be an absolute path" });

const httpUrl = z
  .url({ protocol: /^https?$/, error: 'is no URL; write for example "http://prometheus:9090"' })
  .refine((text) => !/^https?:\/\/[^/]*@/i.test(text), { error: "must not hold credentials; use basicAuth or token" });

/** Options of the metrics source `prometheus`. Secrets arrive as text: the host has read them. */
export const prometheusOptionsSchema = z
  .strictObject({
    url: httpUrl.meta({ description: "Base URL of Prometheus, Thanos, Mimir or another server with its query API" }),
    metrics: z
      .record(z.string().min(1), metricSchema)
      .meta({ description: "Queries by the metric names that idle rules use" }),
    token: z.string().min(1).optional().meta({ description: "Bearer token" }),
    basicAuth: z.strictObject({ username: z.string().min(1), password: z.string().min(1) }).optional(),
    headers: z
      .record(headerName, headerValue)
      .default({})
      .meta({ description: "Further headers, such as X-Scope-OrgID" }),
    tls: z
      .strictObject({
        ca: z
          .union([z.string().includes("-----BEGIN"), z.strictObject({ file: absolutePath })], {
            error: "is no certificate; write its PEM text, or { file: /absolute/path }",
          })
          .optional()
          .meta({ description: "The authorities to trust instead of the system's" }),
      })
      .default({}),
    timeout: durationSchema
      .prefault("4s")
      .meta({ description: "How long one query may take; the autoscaler waits 5 s at most" }),
  })
  .refine(({ token, basicAuth }) => token === undefined || basicAuth === undefined, {
    error: "has both token and basicAuth; leave one out",
  });

/** Parsed options; durations in ms. */
export type PrometheusOptions = z.output<typeof prometheusOptionsSchema>;

/** One configured query. */
export type PrometheusMetric = PrometheusOptions["metrics"][string];

/** What a value is multiplied with to be in its base unit. */
export function unitFactor(unit: Unit): number {
  return unitFactors[unit];
}
