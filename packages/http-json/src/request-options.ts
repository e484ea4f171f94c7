import { isAbsolute } from "node:path";
import { durationSchema, positiveDurationSchema } from "@dormouse/core";
import { z } from "zod";
import { fillTemplate, templateSchema } from "./fill-template.ts";

/** Headers that belong to the connection, or that follow from the body. */
const ownHeaders = new Set([
  "connection",
  "content-length",
  "expect",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

const headerName = z
  .string()
  .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, "is no header name")
  .refine((name) => !ownHeaders.has(name.toLowerCase()), "is set by the connection itself; leave it out");

const headerValue = z
  .string()
  .max(16_384)
  .regex(/^[\t\x20-\x7e\x80-\xff]*$/, "is no header value; it must be one line");

const absolutePath = z.string().refine((path) => isAbsolute(path), { error: "must be an absolute path" });

const sample = { namespace: "namespace", name: "name" };

/** An http or https URL that may hold `{{namespace}}` and `{{name}}`; credentials belong elsewhere. */
export const urlTemplateSchema = templateSchema.superRefine((text, context) => {
  const complain = (message: string): void => context.addIssue({ code: "custom", message });
  const filled = fillTemplate(text, sample);
  const url = URL.canParse(filled) ? new URL(filled) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    complain('is no URL; write for example "http://localhost:8123"');
  else if (url.username !== "" || url.password !== "")
    complain("must not hold credentials; use token, basicAuth or headers");
  else if (url.hash !== "") complain("must not have a fragment (#…): it is never sent");
});

/** How requests are sent: keys of everything here that asks an HTTP API, none with a default. */
export const requestFields = {
  headers: z.record(headerName, headerValue).meta({ description: "Further headers of each request" }),
  token: z.string().min(1).meta({ description: "Bearer token" }),
  basicAuth: z.strictObject({ username: z.string().min(1), password: z.string().min(1) }),
  timeout: positiveDurationSchema.meta({
    description: "How long one try may take, from its start to the end of the answer",
  }),
  mostBytes: z
    .int()
    .min(64)
    .max(64 * 1024 * 1024)
    .meta({ description: "Bytes of an answer; a longer one is an error" }),
} as const;

/** How a failed request is tried again. */
export const retriesSchema = z.strictObject({
  attempts: z.int().min(1).max(20).default(4).meta({ description: "Tries of one call, the first included" }),
  firstWait: durationSchema
    .prefault("100ms")
    .meta({ description: "Wait before the second try; later ones double, with jitter" }),
  longestWait: durationSchema.prefault("2s").meta({ description: "Longest of these waits" }),
});

/** Tries and waits of one call, in ms. */
export type Retries = z.output<typeof retriesSchema>;

const noCertificate = "is no certificate; write its PEM text, or { file: /absolute/path }";

/** Whom to trust. */
export const tlsSchema = z.strictObject({
  ca: z
    .union([z.string().includes("-----BEGIN", { error: noCertificate }), z.strictObject({ file: absolutePath })], {
      error: noCertificate,
    })
    .optional()
    .meta({ description: "The authorities to trust instead of the system's" }),
});

/** Parsed `tls`. */
export type TlsOptions = z.output<typeof tlsSchema>;

/** What `headersOf` makes headers of. */
export interface Credentials {
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly token?: string | undefined;
  readonly basicAuth?: { readonly username: string; readonly password: string } | undefined;
}

/** Headers of a request, with lower-case names. */
export function headersOf({ headers, token, basicAuth }: Credentials): Readonly<Record<string, string>> {
  const named = Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), value] as const);
  return {
    accept: "application/json",
    "user-agent": "dormouse",
    ...Object.fromEntries(named),
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...(basicAuth !== undefined && { authorization: `Basic ${toBase64(basicAuth)}` }),
  };
}

function toBase64({ username, password }: { readonly username: string; readonly password: string }): string {
  return Buffer.from(`${username}:${password}`, "utf8").toString("base64");
}
