import { createServer, type IncomingMessage, type Server, type ServerOptions } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { ConfigError, type DlxConfig } from "@dormouse/core";
import { ClientResponse } from "../exchange/client-response.ts";
import type { RouteMatch } from "../route/route-table.ts";
import type { ClientConnection, ClientConnections, ConnectionOrigin } from "./client-connections.ts";
import { formatAddress, toListenOptions } from "./listen-address.ts";
import { shouldUpgrade } from "./should-upgrade.ts";

/** As many as the system allows: a burst that wakes a service comes all at once. */
const backlog = 4_096;

/** What becomes of all that a listener receives. */
export interface Intake {
  request(client: ClientConnection, request: IncomingMessage, response: ClientResponse, awaitsContinue: boolean): void;
  /** An `Expect` other than `100-continue`. */
  unexpected(client: ClientConnection, request: IncomingMessage, response: ClientResponse): void;
  /** A request for another protocol, or CONNECT. */
  upgrade(client: ClientConnection, request: IncomingMessage, head: Buffer): void;
  /** The parser gave up, or the connection failed. */
  fault(client: ClientConnection, error: Error): void;
}

export interface HttpListenerOptions {
  /** `host:port`. */
  readonly listen: string;
  /** Where it stands in the configuration, for errors. */
  readonly place: string;
  /** A dedicated listener's resource. */
  readonly route?: RouteMatch;
  readonly config: DlxConfig;
  readonly connections: ClientConnections;
  readonly intake: Intake;
}

/** One server on one address. */
export class HttpListener implements ConnectionOrigin {
  readonly listen: string;
  route: RouteMatch | undefined;
  isClosing = false;
  readonly #server: Server<typeof IncomingMessage, typeof ClientResponse>;
  readonly #options: HttpListenerOptions;
  #config: DlxConfig;

  private constructor(options: HttpListenerOptions) {
    this.listen = options.listen;
    this.route = options.route;
    this.#options = options;
    this.#config = options.config;
    this.#server = createServer(toServerOptions(options.config));
    this.#wire(this.#server);
  }

  /** Resolves once bound. Rejects with a ConfigError that names the place where the address cannot be had. */
  static async open(options: HttpListenerOptions): Promise<HttpListener> {
    const listener = new HttpListener(options);
    await listener.#bind();
    return listener;
  }

  /** The address that was bound, with its real port. */
  get address(): string {
    const address = this.#server.address() as AddressInfo | null;
    return address === null ? this.listen : formatAddress(address);
  }

  /** Takes new limits; they hold from the next connection or request on. */
  reconfigure(config: DlxConfig): void {
    this.#config = config;
    this.#server.headersTimeout = config.headersTimeout;
    this.#server.keepAliveTimeout = config.keepAliveTimeout;
    Object.assign(this.#server, { maxHeaderSize: config.maxHeaderSize });
  }

  /** Takes no more connections and closes idle ones; those with a request end with its answer. */
  close(): void {
    if (this.isClosing) return;
    this.isClosing = true;
    this.#server.close();
  }

  #bind(): Promise<void> {
    return new Promise((resolve, reject) => {
      const onError = (error: Error): void => reject(toConfigError(this.#options, error));
      this.#server.once("error", onError);
      this.#server.listen({ ...toListenOptions(this.listen), backlog }, () => {
        this.#server.off("error", onError);
        // An accept that fails (no file descriptor is free) costs that connection only.
        this.#server.on("error", () => {});
        resolve();
      });
    });
  }

  #wire(server: Server<typeof IncomingMessage, typeof ClientResponse>): void {
    const { connections, intake } = this.#options;
    const found = (socket: Duplex | Socket, use: (client: ClientConnection) => void): void => {
      const client = connections.get(socket as Socket);
      if (client === undefined) socket.destroy();
      else use(client);
    };
    server.maxHeadersCount = 0; // Node drops what is beyond 2,000 without a word; the size is the limit.
    server.on("connection", (socket) => connections.add(socket, this, this.#config.maxConnections));
    server.on("request", (request, response) => {
      const client = connections.get(request.socket);
      if (client === undefined) request.socket.destroy();
      else intake.request(client, request, response, false);
    });
    server.on("checkContinue", (request, response) => {
      found(request.socket, (client) => intake.request(client, request, response, true));
    });
    server.on("checkExpectation", (request, response) => {
      found(request.socket, (client) => intake.unexpected(client, request, response));
    });
    const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
      socket.on("error", () => {});
      found(socket, (client) => intake.upgrade(client, request, head));
    };
    server.on("upgrade", onUpgrade).on("connect", onUpgrade);
    server.on("clientError", (error, socket) => found(socket, (client) => intake.fault(client, error)));
  }
}

function toServerOptions(config: DlxConfig): ServerOptions<typeof IncomingMessage, typeof ClientResponse> {
  const options = {
    ServerResponse: ClientResponse,
    maxHeaderSize: config.maxHeaderSize,
    headersTimeout: config.headersTimeout,
    // It would answer 408 to uploads that are held. Heads and bodies have limits of their own.
    requestTimeout: 0,
    keepAliveTimeout: config.keepAliveTimeout,
    connectionsCheckingInterval: Math.min(5_000, Math.max(50, config.headersTimeout / 4)),
    noDelay: true,
    // Checked together with the rest of the head, and answered in the same form.
    requireHostHeader: false,
    insecureHTTPParser: false,
    shouldUpgradeCallback: shouldUpgrade,
  };
  return options;
}

const problems: Readonly<Record<string, string>> = {
  EADDRINUSE: "is taken by another process or listener",
  EACCES: "may not be bound by this user",
  EADDRNOTAVAIL: "is no address of this machine",
  ENOTFOUND: "names no known host",
};

function toConfigError({ listen, place }: HttpListenerOptions, error: Error): ConfigError {
  const code = String(Reflect.get(error, "code") ?? error.message);
  const problem = `cannot be had: ${listen} ${problems[code] ?? `failed with ${code}`}`;
  const mend = "free the port or write another address, for example 127.0.0.1:0 for any free port";
  return new ConfigError([{ place, problem, mend }], { cause: error });
}
