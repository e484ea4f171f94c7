import { defaultNamespace, durationSchema, isRefPart } from "@dormouse/core";
import {
  jsonPathSchema,
  requestFields,
  retriesSchema,
  templateSchema,
  tlsSchema,
  urlTemplateSchema,
} from "@dormouse/http-json";
import { z } from "zod";
import { addressSchema } from "./address.ts";
import { checkOptions } from "./check-options.ts";

/** More replicas than this of one resource are taken for a mistake of whoever reports them. */
export const mostReplicas = 100_000;

const refPart = z.string().refine(isRefPart, "is no name; use 1 to 253 letters, digits and . _ : -");
const path = z.string().regex(/^(?:\/[^#\s]*)?$/, 'is no path; begin it with "/", or leave it empty');
const success = z
  .array(z.int().min(200).max(299))
  .min(1)
  .meta({ description: "Statuses that mean success; left out: 200 to 299" });

const statusSchema = z
  .strictObject({
    method: z.enum(["GET", "POST"]).meta({ description: "Method that asks for the status" }),
    path: path.pipe(templateSchema).meta({ description: "Path below url that tells the status" }),
    body: z.json().meta({ description: "JSON to send with POST" }),
    success,
    replicas: jsonPathSchema.meta({ description: "JSONPath to the count that is wanted" }),
    ready: jsonPathSchema.meta({ description: "JSONPath to how many are ready; left out: as many as are wanted" }),
    wakeReplicas: jsonPathSchema.meta({
      description: "JSONPath to the count of before the sleep, where the API keeps it",
    }),
    failure: jsonPathSchema.meta({
      description: "JSONPath to why it cannot start: a text; nothing, null or an empty one while it can",
    }),
  })
  .partial();

const scaleSchema = z
  .strictObject({
    method: z.enum(["PUT", "POST", "PATCH"]).meta({ description: "Method that sets the count" }),
    path: path.meta({ description: "Path below url that takes the count" }),
    body: z.json().meta({ description: 'JSON to send; "{{replicas}}" stands for the count' }),
    contentType: z
      .string()
      .regex(/^[\w.+-]+\/[\w.+-]+(?:\s*;.*)?$/, 'is no media type; write for example "application/json"')
      .meta({ description: "Media type of the body" }),
    success,
  })
  .partial();

const targetsSchema = z.union(
  [
    z.array(addressSchema).min(1).max(1_000),
    z.string().regex(/\{\{\s*index\s*\}\}/, 'has no {{index}}; write for example "app-{{index}}.internal:8080"'),
    z.strictObject({
      addresses: jsonPathSchema.meta({ description: "JSONPath into the status to the address of each instance" }),
      ids: jsonPathSchema.optional().meta({ description: "JSONPath to the id of each, in the same order" }),
      port: z.int().min(1).max(65_535).optional().meta({ description: "Port of addresses that have none" }),
    }),
  ],
  { error: "is no list of addresses, template with {{index}}, or { addresses, ids, port }" },
);

/** What may stand at the top, for all resources, and at each of them. */
const apiFields = {
  url: urlTemplateSchema.meta({ description: "Base URL of the API; {{namespace}} and {{name}} are the resource's" }),
  status: statusSchema,
  scale: scaleSchema,
  minimum: z
    .int()
    .min(0)
    .max(mostReplicas)
    .meta({ description: "Fewest replicas that the API takes; with 1 or more a resource never sleeps" }),
  ...requestFields,
  retries: retriesSchema,
  targets: targetsSchema.meta({ description: "Where instances take requests; left out: nothing is routed to it" }),
  stopGrace: durationSchema.meta({
    description: "How long a stopped instance may go on: its address is not used again before",
  }),
};

const partialApi = z.strictObject(apiFields).partial();

const resourceSchema = z.strictObject({
  name: refPart.meta({ description: "Name of the resource, unique in its namespace" }),
  namespace: refPart.default(defaultNamespace).meta({ description: "Namespace of the resource" }),
  ...partialApi.shape,
  replicas: z
    .int()
    .min(1)
    .max(mostReplicas)
    .optional()
    .meta({ description: "What a wake asks for where nothing is known of before; left out: 1, or minimum" }),
  policy: z
    .record(z.string(), z.unknown())
    .default({})
    .meta({ description: "When to sleep, where to route: the same keys on every platform" }),
});

const headerName = z.string().regex(/^[A-Za-z0-9-]+$/, "is no header name");

const compareAndSetSchema = z.strictObject({
  version: z
    .union([z.literal("etag"), jsonPathSchema])
    .default("etag")
    .meta({ description: "Where both answers have the version: the header ETag, or a JSONPath into the body" }),
  header: headerName
    .default("If-Match")
    .meta({ description: "Header that makes the write conditional on that version" }),
});

const plainSchema = z.strictObject({
  resources: z.array(resourceSchema).max(1_000).meta({ description: "What to scale" }),
  ...partialApi.shape,
  tls: tlsSchema.default({}),
  compareAndSet: compareAndSetSchema.optional().meta({
    description: "The API refuses a write whose version is not the present one; each accepted write moves it",
  }),
  settleWithin: durationSchema
    .prefault("5s")
    .meta({ description: "How long after a call was given up the API may still carry it out" }),
});

/** What the plugin takes; durations in ms. */
export type HttpOptions = z.output<typeof plainSchema>;

/** One configured resource. */
export type ResourceSpec = HttpOptions["resources"][number];

/** The part that may stand at the top and at a resource. */
export type PartialApi = z.output<typeof partialApi>;

/** Where the versions of a conditional write are. */
export type CompareAndSet = z.output<typeof compareAndSetSchema>;

/** Options of the plugin. Unknown keys, two resources of one name and a resource without a URL are errors. */
export const httpOptions = plainSchema.superRefine((options, context) =>
  checkOptions(options, (place, message) => context.addIssue({ code: "custom", path: [...place], message })),
);
