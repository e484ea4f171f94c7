import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { Agent, buildConnector } from "undici";
import { toFileError } from "./remote-error.ts";
import type { HttpOptions } from "./remote-options.ts";

type Pem = NonNullable<HttpOptions["tls"]["ca"]>;

/** Connections to one remote; a remote that hangs keeps no more waiting than these. */
const mostConnections = 16;

/** How long a dial with its TLS handshake may take. */
const dialMs = 5_000;

/** A watch on which nothing has come for so long is begun anew: its connection may have died without a word. */
const silentWatchMs = 120_000;

/** Connections to a remote, by TLS where its URL says so. Files are read for each connection: certificates are renewed. */
export function openAgent({ tls }: HttpOptions, kind: "calls" | "watches"): Agent {
  return new Agent({
    ...(kind === "calls" && { connections: mostConnections }),
    // Calls have deadlines of their own.
    headersTimeout: kind === "calls" ? 0 : dialMs * 2,
    bodyTimeout: kind === "calls" ? 0 : silentWatchMs,
    connect: (options, callback) => void dial(tls, options, callback),
  });
}

async function dial(
  tls: HttpOptions["tls"],
  ...[options, callback]: Parameters<buildConnector.connector>
): Promise<void> {
  try {
    const connect = await connectorOf(tls);
    connect(options, callback);
  } catch (error) {
    callback(error instanceof Error ? error : new Error(String(error)), null);
  }
}

async function connectorOf({ ca, certificate, privateKey, serverName }: HttpOptions["tls"]) {
  const [trusted, cert, key] = await Promise.all([ca, certificate, privateKey].map(readPem));
  return buildConnector({
    timeout: dialMs,
    ...(trusted !== undefined && { ca: trusted }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(serverName !== undefined && { servername: serverName }),
  });
}

async function readPem(pem: Pem | undefined): Promise<string | undefined> {
  if (pem === undefined || typeof pem === "string") return pem;
  try {
    return await readFile(resolve(pem.file), "utf8");
  } catch (error) {
    throw toFileError(pem.file, error);
  }
}
