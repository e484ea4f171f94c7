import { z } from "zod";
import { durationSchema, positiveDurationSchema } from "./duration.ts";
import { listenAddressSchema } from "./listen-address.ts";
import { networkSchema } from "./network.ts";
import { defaultScaling, flapGuardSchema, scaleDownSchema, scaleUpSchema, targetSchema } from "./target-policy.ts";

const hostLabel = "[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?";

const hostName = z
  .string()
  .max(253)
  .regex(new RegExp(`^(?:\\*\\.)?${hostLabel}(?:\\.${hostLabel})*$`), {
    error: ({ input }) =>
      `${JSON.stringify(input)} is no host; write a name such as "app.example.com" or "*.example.com", without scheme or port`,
  })
  .toLowerCase();

const path = z
  .string()
  .regex(/^\//, { error: ({ input }) => `${JSON.stringify(input)} is no path; begin it with "/"` });

const headerName = z
  .string()
  .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, {
    error: ({ input }) => `${JSON.stringify(input)} is no header name; write for example "x-tenant"`,
  })
  .toLowerCase();

const dependency = z.string().regex(/^(?:[A-Za-z0-9._:-]{1,253}\/){0,2}[A-Za-z0-9._:-]{1,253}$/, {
  error: ({ input }) =>
    `${JSON.stringify(input)} is no resource; write "scaler/namespace/name", or the name of one beside this`,
});

const withoutRepeats = <Entry>(list: Entry[]): Entry[] => [...new Set(list)];

const idleRuleSchema = z
  .strictObject({
    metric: z.string().min(1).meta({ description: "Name of the metric in its source" }),
    window: positiveDurationSchema.meta({ description: "The metric must have been quiet for all of this" }),
    threshold: z.number().meta({ description: "At or below is quiet; in the metric's base unit" }),
    source: z
      .string()
      .min(1)
      .optional()
      .meta({ description: "Id of the metrics source; left out: the first that is configured" }),
  })
  .meta({ description: "All rules must be quiet before a sleep; missing or broken data is never quiet" });

const readinessSchema = z.strictObject({
  path: path.meta({ description: "Path that the DLX asks each target for before it releases to it" }),
  status: z.int().min(100).max(599).optional().meta({ description: "Status that means ready; left out: 200 to 399" }),
});

const neverWakeSchema = z.strictObject({
  paths: z.array(path).default([]).meta({ description: 'Exact paths, or prefixes that end in "*"' }),
  userAgents: z
    .array(z.string().min(1))
    .default([])
    .meta({ description: "Texts that a User-Agent contains, in any case" }),
  networks: z.array(networkSchema).default([]).meta({ description: "Client addresses or CIDR networks" }),
  status: z.int().min(200).max(599).default(200).meta({ description: "Status of the fixed answer" }),
});

/** Every key of a policy, without defaults, as configuration and labels write it. All durations are ms once parsed. */
export const policyFields = {
  enabled: z.boolean().meta({ description: "Opt in; platforms with labels need it" }),
  hosts: z
    .array(hostName)
    .max(100)
    .overwrite(withoutRepeats)
    .meta({ description: "Hosts on the shared listener, in any case; *.example.com for all names below" }),
  pathPrefix: path.meta({ description: "Only this path and those below it, by whole segments" }),
  headers: z.record(headerName, z.string()).meta({ description: "Only requests with just these header values" }),
  port: z.string().min(1).meta({ description: "The resource's port by name; left out: its first" }),
  listen: z
    .array(listenAddressSchema)
    .max(20)
    .overwrite(withoutRepeats)
    .meta({ description: "Dedicated listeners, host:port; whatever comes there belongs to this resource" }),
  idleAfter: durationSchema.meta({ description: "No activity for this long is idle" }),
  streamIdleAfter: durationSchema.meta({
    description: "0: an open stream always counts as in use; else one silent for this long does not",
  }),
  idleRules: z
    .array(idleRuleSchema)
    .max(20)
    .meta({ description: "Further conditions for a sleep, ANDed with idleAfter" }),
  routing: z.enum(["auto", "direct", "always"]).meta({
    description:
      "direct: warm traffic leaves the DLX; always: it stays; auto: direct where an idle rule has a working source",
  }),
  minAwake: durationSchema.meta({ description: "Never sleep sooner after a wake or an update" }),
  holdTimeout: durationSchema.meta({ description: "How long one request may be held, then 504" }),
  wakeTimeout: positiveDurationSchema.meta({ description: "How long one wake attempt may take" }),
  responseTimeout: durationSchema.meta({ description: "To the first byte of the response; 0: no limit" }),
  drainTimeout: positiveDurationSchema.meta({ description: "Upper limit of a drain before a sleep" }),
  maxHeld: z.int().nonnegative().meta({ description: "Held requests; one more is refused with 503" }),
  releaseConcurrency: z
    .int()
    .positive()
    .meta({ description: "Held requests in flight per ready target while the waiting room empties" }),
  maxConcurrency: z.int().nonnegative().meta({ description: "Requests in flight per target at any time; 0: no bound" }),
  readiness: readinessSchema.meta({
    description: "HTTP request that the DLX runs on a target; left out: the platform's probe, else TCP",
  }),
  waitingPage: z.enum(["auto", "never"]).meta({
    description:
      "auto: a browser that navigates gets a page that refreshes itself and counts as a wake; everything else is held",
  }),
  neverWake: neverWakeSchema.meta({
    description:
      "What gets a fixed answer while the resource sleeps, without waking it and without counting as activity",
  }),
  dependsOn: z.array(dependency).max(50).overwrite(withoutRepeats).meta({
    description:
      "Resources that must be awake first: scaler/namespace/name, or a name in the same scaler and namespace",
  }),
  sleep: z.enum(["safe", "best-effort"]).meta({
    description: "best-effort: sleep even where a platform without compare-and-set is shared by several hosts",
  }),
  target: targetSchema.meta({
    description: "Keep a metric at a value by changing the count of replicas while it is awake",
  }),
  minReplicas: z.int().nonnegative().max(1_000_000).meta({
    description: "0: it may sleep, and while it is awake a target keeps at least 1; else it is never put to sleep",
  }),
  maxReplicas: z.int().positive().max(1_000_000).meta({ description: "The most that a target may ask for" }),
  scaleUp: scaleUpSchema.meta({ description: "How fast a target may raise the count" }),
  scaleDown: scaleDownSchema.meta({ description: "How fast a target may lower the count" }),
  cooldown: durationSchema.meta({ description: "Least time from one change of the count to the next by a target" }),
  flapGuard: flapGuardSchema.meta({ description: "Holds a count up that a target raises and lowers by turns" }),
} as const;

/** A policy as written: any subset of the keys. */
export const policySchema = z.strictObject(policyFields).partial();

/** What a resource says of itself, parsed; durations in ms. */
export type PartialPolicy = z.output<typeof policySchema>;

/** Keys that have no default. */
type Optional = "pathPrefix" | "port" | "readiness" | "neverWake" | "target";

/** A resource's whole policy: what it says, over the host's defaults, over Dormouse's. Durations in ms. */
export type Policy = { readonly [Key in Exclude<keyof PartialPolicy, Optional>]-?: NonNullable<PartialPolicy[Key]> } & {
  readonly [Key in Optional]?: NonNullable<PartialPolicy[Key]>;
};

/** A further condition for a sleep. `window` in ms. */
export type IdleRule = z.output<typeof idleRuleSchema>;
/** What gets a fixed answer while the resource sleeps. */
export type NeverWake = z.output<typeof neverWakeSchema>;
/** The HTTP request by which the DLX finds a target ready. */
export type Readiness = z.output<typeof readinessSchema>;

/** Dormouse's own defaults; every one is finite. */
export const defaultPolicy: Policy = {
  enabled: false,
  hosts: [],
  headers: {},
  listen: [],
  idleAfter: 300_000,
  streamIdleAfter: 0,
  idleRules: [],
  routing: "auto",
  minAwake: 30_000,
  holdTimeout: 60_000,
  wakeTimeout: 300_000,
  responseTimeout: 0,
  drainTimeout: 30_000,
  maxHeld: 1_000,
  releaseConcurrency: 50,
  maxConcurrency: 0,
  waitingPage: "auto",
  dependsOn: [],
  sleep: "safe",
  minReplicas: 0,
  maxReplicas: 100,
  cooldown: 15_000,
  ...defaultScaling,
};
