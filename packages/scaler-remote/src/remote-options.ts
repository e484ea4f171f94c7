import { durationSchema, positiveDurationSchema } from "@dormouse/core";
import { z } from "zod";

const noNul = z.string().refine((value) => !value.includes("\0"), "must not contain a NUL character");
const text = noNul.min(1);
const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "is no name of a variable; use letters, digits and _");

const pem = z.union([z.string().includes("-----BEGIN"), z.strictObject({ file: text })], {
  error: "is no PEM; write its text, or { file: PATH }",
});

const httpUrl = z
  .url({ protocol: /^https?$/, error: 'is no URL; write for example "https://scaler.example:8443"' })
  .refine((url) => !/^https?:\/\/[^/]*@/i.test(url), { error: "must not hold credentials; use token" })
  .refine((url) => !/[?#]/.test(url), { error: "must end with its path; calls are below it" });

const execSchema = z.strictObject({
  command: z
    .array(noNul)
    .min(1)
    .refine((command) => command[0] !== "", "begins with an empty text; write [program, argument, …]")
    .meta({ description: "Program and arguments; no shell reads them" }),
  cwd: text.optional().meta({ description: "Working directory; left out: the host's, the folder of dormouse.yaml" }),
  env: z
    .record(variable, z.union([noNul, z.number(), z.boolean()]))
    .default({})
    .meta({ description: "The program's environment; nothing else but what `inherit` names" }),
  inherit: z.array(variable).default(["PATH"]).meta({ description: "Variables of the host that it gets too" }),
  stopGrace: durationSchema
    .prefault("5s")
    .meta({ description: "How long it may take to end once its stdin has; then SIGTERM, and SIGKILL 2 s later" }),
  silence: positiveDurationSchema.prefault("60s").meta({
    description: "A program that has answered nothing for so long while calls wait is ended and started anew",
  }),
});

const httpSchema = z.strictObject({
  url: httpUrl.meta({ description: "Base URL; calls are POSTed to URL/v1/CALL" }),
  token: text.regex(/^[\x21-\x7e]+$/, "is no token; it must be one word of ASCII").optional(),
  tls: z
    .strictObject({
      ca: pem.optional().meta({ description: "The authorities to trust instead of the system's" }),
      certificate: pem.optional().meta({ description: "Certificate chain to show" }),
      privateKey: pem.optional().meta({ description: "Its key" }),
      serverName: text.max(253).optional().meta({ description: "Name that the remote's certificate must carry" }),
    })
    .refine(({ certificate, privateKey }) => (certificate === undefined) === (privateKey === undefined), {
      error: "has one of certificate and privateKey; give both",
    })
    .default({}),
});

/** What stands below `options:` of this scaler. Secrets arrive as text: the host has read them. */
export const remoteOptions = z
  .strictObject({
    exec: execSchema.optional(),
    http: httpSchema.optional(),
    options: z.record(z.string(), z.unknown()).default({}).meta({ description: "The remote's own, which it checks" }),
    timeout: positiveDurationSchema
      .prefault("9s")
      .meta({ description: "How long a call may take; the host gives up after 10 s" }),
    messageBytes: z
      .int()
      .min(1_024)
      .max(256 * 1024 * 1024)
      .default(8 * 1024 * 1024)
      .meta({ description: "Bytes of one message of the remote; 10,000 resources take about 4 MiB" }),
    labelPrefix: z.string().min(1).max(253).default("dormouse.dev/"),
  })
  .refine(({ exec, http }) => (exec === undefined) !== (http === undefined), {
    error: "needs one of exec and http: exec starts a program, http calls a server",
  });

/** Parsed options; durations in ms. */
export type RemoteOptions = z.output<typeof remoteOptions>;

/** How to start a remote. */
export type ExecOptions = NonNullable<RemoteOptions["exec"]>;

/** Where a remote listens. */
export type HttpOptions = NonNullable<RemoteOptions["http"]>;
