import { durationSchema, positiveDurationSchema } from "@dormouse/core";
import { z } from "zod";

const text = z.string().min(1).max(1_024);

const uuid = z
  .string()
  .regex(
    /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i,
    "is no id; write for example 00000000-0000-0000-0000-000000000000",
  );

/** Names of tenants are ids or domains. */
const tenant = z.string().regex(/^[A-Za-z0-9.-]{1,255}$/, "is no tenant; write its id or its domain");

const resourceGroup = z
  .string()
  .regex(/^[\p{L}\p{N}_().-]{1,90}$/u, "is no name of a resource group")
  .refine((name) => !name.endsWith("."), "is no name of a resource group: it must not end with a dot");

const origin = z
  .string()
  .refine(isOrigin, "must be https://host or https://host:port, without a path")
  .transform(toOrigin);

/** Where a cloud is: whom to ask for tokens, and where its resource manager is. */
export const clouds = {
  public: { authorityHost: "https://login.microsoftonline.com", armEndpoint: "https://management.azure.com" },
  "us-government": {
    authorityHost: "https://login.microsoftonline.us",
    armEndpoint: "https://management.usgovcloudapi.net",
  },
  china: {
    authorityHost: "https://login.partner.microsoftonline.cn",
    armEndpoint: "https://management.chinacloudapi.cn",
  },
} as const;

const subscriptionSchema = z.strictObject({
  id: uuid.meta({ description: "Id of the subscription" }),
  name: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/, "is no short name; use a-z, 0-9 and hyphens")
    .optional()
    .meta({
      description: "Stands before the resource group in namespaces: name::group. All but one subscription need it",
    }),
  resourceGroups: z
    .array(resourceGroup)
    .min(1)
    .max(100)
    .optional()
    .meta({ description: "Resource groups to look in; left out: all of the subscription" }),
});

const identitySchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("default"),
    clientId: uuid.optional().meta({ description: "Client id of a managed identity" }),
  }),
  z.strictObject({ kind: z.literal("client-secret"), tenantId: tenant, clientId: uuid, clientSecret: text }),
  z.strictObject({
    kind: z.literal("client-certificate"),
    tenantId: tenant,
    clientId: uuid,
    certificateFile: text.meta({ description: "PEM with certificate and private key" }),
  }),
  z.strictObject({
    kind: z.literal("workload-identity"),
    tenantId: tenant.optional(),
    clientId: uuid.optional(),
    tokenFile: text.optional().meta({ description: "File with the federated token" }),
  }),
  z.strictObject({ kind: z.literal("managed-identity"), clientId: uuid.optional() }),
  z.strictObject({ kind: z.literal("azure-cli"), tenantId: tenant.optional() }),
]);

const pollSchema = z.strictObject({
  list: positiveDurationSchema.prefault("5m").meta({ description: "From one list of the groups to the next" }),
  asleep: positiveDurationSchema.prefault("10m").meta({ description: "From one look at a stopped group to the next" }),
  awake: positiveDurationSchema.prefault("1m").meta({ description: "The same for one that runs" }),
  waking: positiveDurationSchema.prefault("2s").meta({ description: "The same for one that starts or stops" }),
});

const bucketSchema = (burst: number, perSecond: number) =>
  z
    .strictObject({
      burst: z.int().min(1).max(10_000).default(burst).meta({ description: "Requests that may be sent at once" }),
      perSecond: z
        .number()
        .positive()
        .max(1_000)
        .default(perSecond)
        .meta({ description: "Requests a second after that" }),
    })
    .prefault({});

const plainSchema = z.strictObject({
  subscriptions: z.array(subscriptionSchema).min(1).max(50).meta({ description: "Where the container groups are" }),
  identity: identitySchema.default({ kind: "default" }).meta({ description: "Who asks" }),
  cloud: z.enum(["public", "us-government", "china"]).default("public").meta({ description: "Which Azure" }),
  authorityHost: origin.optional().meta({ description: "Where tokens come from; left out: the cloud's" }),
  armEndpoint: origin.optional().meta({ description: "Where the resource manager is; left out: the cloud's" }),
  scope: text.optional().meta({ description: "What tokens are asked for; left out: <armEndpoint>/.default" }),
  caFile: text
    .optional()
    .meta({ description: "PEM file of further authorities, for a cloud with certificates of its own" }),
  poll: pollSchema.prefault({}),
  transitioning: z
    .strictObject({
      first: positiveDurationSchema.prefault("2s").meta({ description: "First wait" }),
      longest: positiveDurationSchema
        .prefault("6s")
        .meta({ description: "Longest wait; each is twice the one before" }),
    })
    .prefault({})
    .meta({ description: "How long to wait when a group is still in transition" }),
  requests: z
    .strictObject({ reads: bucketSchema(200, 15), writes: bucketSchema(100, 5) })
    .prefault({})
    .meta({ description: "Share of the subscription's limits that may be used, for each subscription" }),
  settleWithin: durationSchema
    .prefault("30s")
    .meta({ description: "How long after it was given up a request may still be carried out" }),
});

/** Options of the scaler `aci`. Unknown keys, a subscription twice and two without a name are errors. */
export const aciOptions = plainSchema.superRefine(({ subscriptions }, context) => {
  const seen = new Map<string, number>();
  for (const [index, { id, name }] of subscriptions.entries()) {
    const problem = (key: string, message: string): void =>
      context.addIssue({ code: "custom", path: ["subscriptions", index, key], message });
    const sameId = seen.get(`id ${id.toLowerCase()}`);
    if (sameId !== undefined) problem("id", `is the id of subscriptions[${sameId}] already; merge the two`);
    const sameName = seen.get(`name ${name ?? ""}`);
    if (sameName !== undefined && name !== undefined)
      problem("name", `is the name of subscriptions[${sameName}] already`);
    if (sameName !== undefined && name === undefined)
      problem(
        "name",
        `is missing: subscriptions[${sameName}] has none either, and their groups could not be told apart`,
      );
    seen.set(`id ${id.toLowerCase()}`, index).set(`name ${name ?? ""}`, index);
  }
});

/** The options as the scaler gets them; durations in ms. */
export type AciOptions = z.output<typeof aciOptions>;

/** Where and as whom tokens are asked for. */
export type IdentityOptions = AciOptions["identity"];

/** One subscription as configured. */
export type SubscriptionOptions = AciOptions["subscriptions"][number];

function isOrigin(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, pathname, search, hash, username, password } = new URL(value);
  return protocol === "https:" && pathname === "/" && `${search}${hash}${username}${password}` === "";
}

function toOrigin(value: string): string {
  return isOrigin(value) ? new URL(value).origin : value;
}
