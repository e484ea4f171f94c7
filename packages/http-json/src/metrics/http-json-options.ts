import { durationSchema } from "@dormouse/core";
import { z } from "zod";
import { jsonPathSchema } from "../json-path.ts";
import { requestFields, retriesSchema, tlsSchema, urlTemplateSchema } from "../request-options.ts";

const metricSchema = z.strictObject({
  url: urlTemplateSchema.meta({ description: "What to GET; {{namespace}} and {{name}} are the resource's" }),
  path: jsonPathSchema.meta({ description: "JSONPath to the one number, such as $.cpu.highPriority" }),
  age: jsonPathSchema
    .optional()
    .meta({ description: "JSONPath to the number's age in seconds; left out: it is of the moment of the answer" }),
  over: z.enum(["highest", "average", "latest"]).default("highest").meta({
    description: "What is answered for a window: out of all that was seen within it, or just the latest number",
  }),
  standsFor: durationSchema.prefault("0ms").meta({ description: "How much of the past one number speaks for" }),
  factor: z
    .number()
    .default(1)
    .meta({ description: "What the number is multiplied with to be in the metric's base unit" }),
  headers: requestFields.headers.optional(),
});

/** Options of the metrics source `http-json`. Secrets arrive as text: the host has read them. */
export const httpJsonOptionsSchema = z
  .strictObject({
    metrics: z
      .record(z.string().min(1), metricSchema)
      .refine((metrics) => Object.keys(metrics).length > 0, "is empty; give at least one metric a url and a path")
      .meta({ description: "Where each metric is, by the names that rules and targets use" }),
    headers: requestFields.headers.optional(),
    token: requestFields.token.optional(),
    basicAuth: requestFields.basicAuth.optional(),
    tls: tlsSchema.default({}),
    timeout: requestFields.timeout.prefault("2s"),
    retries: retriesSchema.prefault({ attempts: 2 }),
    mostBytes: requestFields.mostBytes.default(1024 * 1024),
    maxAge: durationSchema
      .prefault("500ms")
      .meta({ description: "For how long one answer is taken again, for other metrics and resources of the same URL" }),
  })
  .refine(({ token, basicAuth }) => token === undefined || basicAuth === undefined, {
    error: "has both token and basicAuth; leave one out",
  });

/** Parsed options; durations in ms. */
export type HttpJsonOptions = z.output<typeof httpJsonOptionsSchema>;

/** One configured metric. */
export type HttpJsonMetric = HttpJsonOptions["metrics"][string];
