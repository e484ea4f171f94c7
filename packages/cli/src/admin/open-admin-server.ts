import { createServer, type RequestListener, type Server, type ServerOptions } from "node:http";
import { createServer as createTlsServer, type Server as TlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { TLSSocket } from "node:tls";
import { getRequestListener, type HttpBindings } from "@hono/node-server";
import { type Clock, ConfigError, type Logger } from "@dormouse/core";
import { createAdminApp } from "./admin-app.ts";
import type { AdminHost } from "./admin-host.ts";
import type { Credentials } from "./credentials.ts";
import { EventStreams } from "./event-stream.ts";
import { parseListenAddress } from "./parse-listen-address.ts";

/** Connections at once; one more is closed at once. */
const mostConnections = 512;

export interface AdminServerOptions {
  readonly host: AdminHost;
  /** `host:port`; port 0: any free one. */
  readonly listen: string;
  /** What callers have to show, and with what the server shows itself; both as they are at each call. */
  readonly credentials: Credentials;
  /** Whether `/metrics` needs no token. */
  readonly openMetrics: () => boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The admin API on its own listener. Disposing ends event streams, lets other requests finish for a moment, then closes. */
export interface AdminServer extends AsyncDisposable {
  /** As it is really bound. */
  readonly address: string;
}

/**
 * Listens once resolved.
 * @throws ConfigError at `admin.listen` where the address cannot be listened on
 */
export async function openAdminServer(options: AdminServerOptions): Promise<AdminServer> {
  const { clock, host, credentials, openMetrics } = options;
  const streams = new EventStreams({ clock, journal: host.journal, process: host.process });
  const access = () => ({
    token: credentials.token,
    asksForCertificates: credentials.tls?.ca !== undefined,
    openMetrics: openMetrics(),
  });
  const app = createAdminApp({ ...options, access, hasCertificate, streams });
  const server = createAnyServer(credentials, getRequestListener(app.fetch, { overrideGlobalObjects: false }));
  server.maxConnections = mostConnections;
  // A connection that becomes idle after the close would stay open for the rest of its keep-alive.
  server.on("request", (_, response) => response.on("close", () => server.listening || server.closeIdleConnections()));
  await listen(server, options.listen);
  const renewing = followCertificates(server, credentials);
  return {
    address: printAddress(server.address()),
    [Symbol.asyncDispose]: () => {
      renewing[Symbol.dispose]();
      streams[Symbol.dispose]();
      return close(server, clock);
    },
  };
}

const serverOptions: ServerOptions = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  // Longer than most ticks of an autoscaler, which asks at each.
  keepAliveTimeout: 15_000,
  maxHeaderSize: 16_384,
};

/** With TLS where there are certificates; then callers are asked for theirs, and may have none. */
function createAnyServer({ tls }: Credentials, listener: RequestListener): Server | TlsServer {
  if (tls === undefined) return createServer(serverOptions, listener);
  const client = { requestCert: tls.ca !== undefined, rejectUnauthorized: false };
  return createTlsServer({ ...serverOptions, ...tls, ...client, handshakeTimeout: 10_000 }, listener);
}

/** Connections from now on get the new certificates; those that are open stay. */
function followCertificates(server: Server | TlsServer, credentials: Credentials): Disposable {
  return credentials.subscribe(() => {
    if ("setSecureContext" in server && credentials.tls !== undefined) server.setSecureContext(credentials.tls);
  });
}

/** Whether the caller's certificate was checked against our authority and holds. */
function hasCertificate(bindings: unknown): boolean {
  const { socket } = (bindings as Partial<HttpBindings> | undefined)?.incoming ?? {};
  return socket instanceof TLSSocket && socket.authorized;
}

function listen(server: Server | TlsServer, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => reject(toConfigError(error, address)));
    server.listen(parseListenAddress(address), () => {
      server.removeAllListeners("error");
      server.on("error", () => {});
      resolve();
    });
  });
}

function toConfigError(error: Error, address: string): ConfigError {
  const code = String(Reflect.get(error, "code"));
  const [problem, mend] = listenProblems[code] ?? [`cannot be listened on (${code})`, "choose another address"];
  return new ConfigError([{ place: "admin.listen", problem: `${address} ${problem}`, mend }], { cause: error });
}

const listenProblems: Readonly<Record<string, readonly [problem: string, mend: string]>> = {
  EADDRINUSE: ["is in use by another process", "choose another port, or end the process that has it"],
  EACCES: ["needs more rights", "choose a port above 1023"],
  EADDRNOTAVAIL: ["is no address of this machine", "listen on 127.0.0.1, or on an address that this machine has"],
  ENOTFOUND: ["has a host that no address is known of", "write an IP address"],
};

/** How long requests that run may take once the server closes, in ms. */
const closeGraceMs = 1_000;

async function close(server: Server | TlsServer, clock: Clock): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const abort = new AbortController();
  const late = clock.sleep(closeGraceMs, abort.signal).then(
    () => server.closeAllConnections(),
    () => {},
  );
  await Promise.race([closed, late]);
  abort.abort();
  await closed;
}

function printAddress(address: AddressInfo | string | null): string {
  if (address === null || typeof address === "string") return String(address);
  return address.family === "IPv6" ? `[${address.address}]:${address.port}` : `${address.address}:${address.port}`;
}
