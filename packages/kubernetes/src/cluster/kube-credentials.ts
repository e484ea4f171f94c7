import { createHash } from "node:crypto";
import type { KubeConfig } from "@kubernetes/client-node";

/** Settings of TLS as `node:tls` takes them. */
type TlsSettings = Readonly<Partial<Record<"ca" | "cert" | "key" | "pfx", string | Buffer>>> & {
  readonly passphrase?: string;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
};

/** What one request needs to be believed. */
export interface KubeCredentials {
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: TlsSettings;
  /** The same for the same TLS settings: connections are kept while it stays. */
  readonly tlsKey: string;
}

const tlsNames = ["ca", "cert", "key", "pfx", "passphrase", "servername", "rejectUnauthorized"] as const;

/** The credentials as they are now: tokens that expired are read or fetched again by the library. */
export async function readCredentials(config: KubeConfig): Promise<KubeCredentials> {
  const applied: Parameters<KubeConfig["applyToHTTPSOptions"]>[0] = {};
  await config.applyToHTTPSOptions(applied);
  const settings = applied as Readonly<Record<string, unknown>>;
  const tls = Object.fromEntries(
    tlsNames.flatMap((name) => (settings[name] === undefined ? [] : [[name, settings[name]]])),
  ) as TlsSettings;
  const { auth } = settings;
  const basic =
    typeof auth === "string" ? { authorization: `Basic ${Buffer.from(auth).toString("base64")}` } : undefined;
  const given = Object.entries((settings["headers"] ?? {}) as Record<string, unknown>);
  const headers = Object.fromEntries(given.map(([name, value]) => [name.toLowerCase(), String(value)]));
  return { headers: { ...basic, ...headers }, tls, tlsKey: keyOf(tls) };
}

function keyOf(tls: TlsSettings): string {
  const hash = createHash("sha256");
  for (const [name, value] of Object.entries(tls)) hash.update(`${name}\0`).update(Buffer.from(String(value)));
  return hash.digest("base64");
}
