import { z } from "zod";
import { durationSchema, positiveDurationSchema } from "./duration.ts";
import { listenAddressSchema } from "./listen-address.ts";
import { networkSchema } from "./network.ts";
import { policySchema } from "./policy.ts";

const secretSchema = z
  .union([z.strictObject({ env: z.string().min(1) }), z.strictObject({ file: z.string().min(1) })], {
    error: "is no secret reference; write { env: NAME } or { file: PATH }, never the secret itself",
  })
  .meta({ description: "Where a secret is: an environment variable or a file" });

const use = z.string().min(1).meta({ description: "npm package, short name, or path of the plugin" });
const pluginId = z.string().regex(/^[A-Za-z0-9._:-]{1,253}$/, "is no id; use letters, digits and . _ : -");

const pluginSchema = z.strictObject({
  use,
  id: pluginId.optional().meta({ description: "Unique among its kind; left out: the short name" }),
  options: z.unknown().optional().meta({ description: "The plugin's own options; its README lists them" }),
});

const adminSchema = z.strictObject({
  listen: listenAddressSchema
    .default("127.0.0.1:8081")
    .meta({ description: "Address of the admin API; any but loopback needs a token" }),
  token: secretSchema.optional().meta({ description: "Bearer token that callers must show" }),
  tls: z
    .strictObject({
      cert: secretSchema.meta({ description: "Certificate chain in PEM, also shown to other hosts" }),
      key: secretSchema.meta({ description: "Its private key in PEM" }),
      ca: secretSchema.optional().meta({
        description:
          "Authorities in PEM: callers without a certificate from one need the token, other hosts must have one",
      }),
      serverName: z.string().min(1).max(253).optional().meta({
        description: "Name that the certificates of other hosts must carry; left out: with ca, any that it signed",
      }),
    })
    .optional()
    .meta({ description: "Serve HTTPS, and with ca mutual TLS; left out: plain HTTP" }),
  openMetrics: z.boolean().default(false).meta({ description: "Serve /metrics without the token" }),
});

const dlxSchema = z.strictObject({
  listen: z
    .union([listenAddressSchema, z.array(listenAddressSchema).min(1)])
    .default("127.0.0.1:8080")
    .meta({ description: "The shared listener, or several" }),
  trustedProxies: z
    .array(networkSchema)
    .default([])
    .meta({ description: "Addresses or CIDR networks whose X-Forwarded-* and Forwarded are kept and extended" }),
  maxConnections: z
    .int()
    .positive()
    .default(20_000)
    .meta({ description: "Open client connections; a request on one more is refused" }),
  maxHeld: z.int().positive().default(10_000).meta({ description: "Held requests of all resources together" }),
  maxInFlight: z
    .int()
    .positive()
    .default(20_000)
    .meta({ description: "Requests with targets of all resources together" }),
  maxHeaderSize: z.int().min(1_024).max(1_048_576).default(16_384).meta({ description: "Bytes of a request's head" }),
  headersTimeout: positiveDurationSchema.prefault("30s").meta({ description: "How long a request's head may take" }),
  keepAliveTimeout: positiveDurationSchema
    .prefault("75s")
    .meta({ description: "How long an idle client connection stays open" }),
  bodyIdleTimeout: durationSchema.prefault("5m").meta({
    description:
      "How long a released request's body may send nothing, or a client take nothing of its answer; 0: no limit",
  }),
  replayBody: z
    .int()
    .nonnegative()
    .max(1_048_576)
    .default(65_536)
    .meta({ description: "Bytes of an idempotent request's body that are kept for one replay" }),
  drainTimeout: durationSchema
    .prefault("30s")
    .meta({ description: "How long a stop waits for held and running requests" }),
  stopGrace: durationSchema.prefault("0").meta({
    description:
      "How long a stop goes on accepting after /readyz says 503; also a resource's listener once its port is wanted no more",
  }),
  routes: z
    .array(pluginSchema)
    .max(20)
    .default([])
    .meta({ description: "Further route sources; the resources' own policies are always one" }),
});

const autoscalerSchema = z.strictObject({
  every: positiveDurationSchema.prefault("5s").meta({ description: "Time from one tick's start to the next" }),
  metrics: z
    .array(pluginSchema)
    .max(20)
    .default([{ use: "dlx" }])
    .meta({ description: "Metrics sources; the first is the default of idle rules" }),
  concurrency: z.int().positive().max(1_000).default(10).meta({ description: "Sleeps that may run at once" }),
  quietPeriod: durationSchema
    .prefault("0")
    .meta({ description: "How long activity must be zero between divert and fence, where traffic is routed" }),
  sleepTimeout: positiveDurationSchema
    .prefault("2m")
    .meta({ description: "Age after which another holder's mark counts as left behind" }),
});

const clusterSchema = z.strictObject({
  peers: pluginSchema
    .optional()
    .meta({ description: "Peer discovery: which DLXs there are; `dormouse dlx` and `dormouse autoscaler` need one" }),
  leader: pluginSchema
    .optional()
    .meta({ description: "Leader elector: which autoscaler may decide; left out: the only one there is" }),
});

const telemetrySchema = z.strictObject({
  otlp: z
    .url({ protocol: /^https?$/, error: 'is no URL; write for example "http://127.0.0.1:4318"' })
    .optional()
    .meta({ description: "Base URL of an OTLP/HTTP collector for traces; left out: no traces are sent" }),
  sampleRatio: z
    .number()
    .min(0)
    .max(1)
    .default(1)
    .meta({ description: "Share of requests that are traced where the caller did not decide" }),
  maxSeries: z
    .int()
    .min(10)
    .max(100_000)
    .default(1_000)
    .meta({ description: "Resources with metric series of their own, busiest first" }),
});

const logSchema = z.strictObject({
  level: z
    .enum(["debug", "info", "warn", "error", "silent"])
    .default("info")
    .meta({ description: "The least that is logged" }),
  format: z
    .enum(["auto", "json", "pretty"])
    .default("auto")
    .meta({ description: "auto: pretty on a terminal, JSON elsewhere" }),
});

/** The whole of `dormouse.yaml`; unknown keys are errors. Durations are ms once parsed. */
export const configSchema = z.strictObject({
  admin: adminSchema.prefault({}).meta({ description: "The API that the command line and other hosts talk to" }),
  scalers: z
    .array(pluginSchema)
    .min(1, "names no scaler; add one, for example { use: process, options: { resources: [ … ] } }")
    .max(100)
    .meta({ description: "Resource scalers, one for each platform or account" }),
  pluginDir: z
    .string()
    .min(1)
    .optional()
    .meta({ description: "Folder whose node_modules holds further plugins, relative to this file" }),
  dlx: dlxSchema.prefault({}).meta({ description: "The DLX: holds requests, wakes resources, forwards" }),
  autoscaler: autoscalerSchema.prefault({}).meta({ description: "The autoscaler: puts idle resources to sleep" }),
  cluster: clusterSchema.prefault({}).meta({ description: "How hosts that run apart find each other" }),
  defaults: policySchema.prefault({}).meta({ description: "Policy of every resource that says nothing else" }),
  telemetry: telemetrySchema.prefault({}).meta({ description: "Metrics and traces" }),
  log: logSchema.prefault({}).meta({ description: "What is logged, and how" }),
});

/** A whole configuration as `parseConfig` gives it. */
export type DormouseConfig = z.output<typeof configSchema>;
/** Of the admin API. */
export type AdminConfig = DormouseConfig["admin"];
/** Of the DLX as a whole; what differs by resource is its policy. */
export type DlxConfig = DormouseConfig["dlx"];
/** Of the autoscaler as a whole. */
export type AutoscalerConfig = DormouseConfig["autoscaler"];
/** How hosts that run apart find each other. */
export type ClusterConfig = DormouseConfig["cluster"];
/** Of metrics and traces. */
export type TelemetryConfig = DormouseConfig["telemetry"];
/** Which plugin, under which id, with which options. */
export type PluginConfig = z.output<typeof pluginSchema>;
/** Where a secret is; the host that reads it is the only one that sees it. */
export type SecretReference = z.output<typeof secretSchema>;
