import { listenAddressSchema } from "@dormouse/core";
import { z } from "zod";

/*
 * What is said between Dormouse and a scaler in another language: docs/remote-scalers.md in words, protocol.schema.json
 * as JSON Schema, made from here. What the remote says is read leniently where nothing depends on it: members that are
 * not known are ignored, and `null` is as good as left out. Everything that is used is bounded.
 */

/** Replicas of one resource beyond this are taken for a mistake. */
const mostReplicas = 1_000_000;
/** The last moment of a JavaScript date. */
const latestMs = 8_640_000_000_000_000;

const refPart = z.string().regex(/^(?!\.{1,2}$)[A-Za-z0-9._:-]{1,253}$/, "must be 1 to 253 of A-Z a-z 0-9 . _ : -");
const count = z.int().min(0).max(mostReplicas);
const portNumber = z.int().min(1).max(65_535);
const time = z.number().min(0).max(latestMs).meta({ description: "Epoch milliseconds" });
const version = z.string().min(1).max(1_024).meta({ description: "Opaque; moves with every accepted setScale" });
const deadlineMs = z.int().min(1).meta({ description: "The caller has given up so many ms after it sent this" });

/** Names one resource. */
export const refSchema = z.object({ namespace: refPart, name: refPart });

/** Why a resource cannot start, or is left alone. */
const reason = z.object({
  code: z.string().max(100).meta({ description: "A code of docs/errors.md that begins with SCALER_" }),
  message: z.string(),
});

const port = z.object({
  name: z.string().min(1).max(253),
  number: portNumber,
  protocol: z.enum(["http", "h2c", "tcp"]).nullish().meta({ description: "Left out: http" }),
  listen: listenAddressSchema
    .nullish()
    .meta({ description: "routing: where a DLX listens for the port's own traffic" }),
});

/** A resource as the remote tells it. */
export const resourceSchema = z.object({
  ref: refSchema,
  desired: count,
  ready: count,
  wakeReplicas: count.min(1),
  version,
  failure: reason.nullish().meta({ description: "Why it cannot start" }),
  refusal: reason.nullish().meta({ description: "Why it is left alone" }),
  routedTo: z.enum(["dlx", "resource"]).nullish(),
  ports: z.array(port).min(1).max(1_000),
  policy: z
    .record(z.string(), z.unknown())
    .nullish()
    .meta({ description: "Keys of docs/configuration.md; enabled unless it says otherwise" }),
  labels: z
    .record(z.string(), z.string())
    .nullish()
    .meta({ description: "Instead of policy: labels such as dormouse.dev/idle-after" }),
  createdAt: time,
  updatedAt: time,
});

const probe = z.object({
  path: z.string().max(8_192).startsWith("/"),
  port: portNumber.nullish(),
  status: z.int().min(100).max(599).nullish(),
  headers: z.record(z.string(), z.string()).nullish(),
});

const target = z.object({
  id: z.string().min(1).max(1_024).meta({ description: "Names the instance, and never another one" }),
  host: z.string().min(1).max(253),
  port: portNumber,
  ready: z.boolean().nullish(),
  probe: probe.nullish(),
});

/** What the remote can do. */
export const capabilitiesSchema = z.object({
  replicas: z.enum(["one", "many"]),
  settleWithinMs: z.number().min(0).max(86_400_000),
  compareAndSet: z.boolean().default(false),
  watch: z.boolean().default(false),
  routing: z.boolean().default(false),
  release: z.boolean().default(false),
});

/** Parsed capabilities of a remote. */
export type RemoteCapabilities = z.output<typeof capabilitiesSchema>;

/** What a call failed with. */
export const failureSchema = z.object({
  code: z.string().max(100).meta({ description: "A code of docs/errors.md that begins with SCALER_" }),
  message: z.string(),
  retryable: z.boolean().nullish().meta({ description: "Where it differs from the code's own" }),
  retryAfterMs: z.number().min(0).max(86_400_000).nullish(),
  issues: z
    .array(z.object({ place: z.string(), problem: z.string(), mend: z.string().nullish() }))
    .max(1_000)
    .nullish()
    .meta({ description: "hello: what is wrong with the options, each with its place below them" }),
});

/** Parsed failure of a call. */
export type RemoteFailure = z.output<typeof failureSchema>;

/** One item of a watch; its resources are read one by one. */
export const changeSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("snapshot"), resources: z.array(z.unknown()).max(100_000) }),
  z.object({ kind: z.literal("set"), resource: z.unknown() }),
  z.object({ kind: z.literal("gone"), ref: refSchema }),
]);

const nothing = z.unknown().meta({ description: "Is not looked at" });

/** What each call is asked with. */
export const paramsSchemas = {
  hello: z.object({
    contract: z.literal(1).meta({ description: "Major version of Dormouse's contract" }),
    scaler: refPart.meta({ description: "Id of the scaler in the configuration" }),
    options: z.record(z.string(), z.unknown()).meta({ description: "The remote's own options, for it to check" }),
    deadlineMs,
  }),
  listResources: z.object({ deadlineMs }),
  getResource: z.object({ ref: refSchema, deadlineMs }),
  watchResources: z.object({}),
  setScale: z.object({ ref: refSchema, replicas: count, ifVersion: version.optional(), deadlineMs }),
  resolveTargets: z.object({ ref: refSchema, port: z.string().optional(), deadlineMs }),
  routeTraffic: z.object({ ref: refSchema, to: z.enum(["dlx", "resource"]), version, deadlineMs }),
  release: z.object({ deadlineMs }),
  dispose: z.object({ deadlineMs }),
} as const;

/** A call of the protocol. */
export type RemoteCall = keyof typeof paramsSchemas;

/** What each call is answered with. */
export const resultSchemas = {
  hello: z.object({ contract: z.int(), name: z.string().min(1).max(100), capabilities: capabilitiesSchema }),
  listResources: z.object({ resources: z.array(z.unknown()).max(100_000) }),
  // No member at all is no answer: it must not read as "gone".
  getResource: z.object({ resource: z.union([z.null(), z.looseObject({})]) }),
  watchResources: nothing,
  setScale: z.object({ version }),
  resolveTargets: z.object({ targets: z.array(target).max(10_000) }),
  routeTraffic: nothing,
  release: nothing,
  dispose: nothing,
} as const satisfies Record<RemoteCall, z.ZodType>;

/** Parsed result of a call. */
export type RemoteResult<Call extends RemoteCall> = z.output<(typeof resultSchemas)[Call]>;
