import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Clock, type Logger, silentLogger, systemClock } from "@dormouse/core";
import { type Cluster, openCluster } from "../src/index.ts";

/** A request as a handler sees it. */
export interface FakeRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly body: unknown;
}

/** Answers a request, or breaks it off, or never does. */
export type FakeHandler = (request: FakeRequest, response: ServerResponse) => void;

/** A server that speaks as much of the API as a test scripts, over real sockets. */
export class FakeApiServer implements AsyncDisposable {
  readonly requests: FakeRequest[] = [];
  readonly #server: Server;
  readonly #folder: string;
  readonly #handlers = new Map<string, FakeHandler>();
  readonly #clusters: Cluster[] = [];

  private constructor(server: Server, folder: string) {
    this.#server = server;
    this.#folder = folder;
    server.on("request", (request, response) => void this.#handle(request, response));
    this.on("/version", answer({ major: "1", minor: "29", gitVersion: "v1.29.4" }));
    this.on("/api/v1", answer({ resources: [{ name: "pods" }, { name: "pods/status" }] }));
    this.on("/apis", answer({ kind: "APIGroupList", groups: [{ versions: [{ groupVersion: "apps/v1" }] }] }));
    this.on("/apis/apps/v1", answer({ resources: [{ name: "deployments" }] }));
  }

  static async open(): Promise<FakeApiServer> {
    const server = createServer();
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    return new FakeApiServer(server, await mkdtemp(join(tmpdir(), "dormouse-kubernetes-")));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Answers a path from now on. */
  on(path: string, handler: FakeHandler): void {
    this.#handlers.set(path, handler);
  }

  /** Requests for a path, watches apart from the others. */
  requestsTo(path: string, { watch = false }: { readonly watch?: boolean } = {}): readonly FakeRequest[] {
    return this.requests.filter((each) => each.path === path && (each.query.get("watch") === "true") === watch);
  }

  /** A kubeconfig file that leads here. */
  async writeKubeconfig({ cluster = {}, user = {}, context = {} }: KubeconfigParts = {}): Promise<string> {
    const file = join(this.#folder, `${String(this.requests.length)}.kubeconfig`);
    const server = `http://127.0.0.1:${String(this.port)}`;
    const config = {
      clusters: [{ name: "c", cluster: { server, "insecure-skip-tls-verify": true, ...cluster } }],
      users: [{ name: "u", user: { token: "secret", ...user } }],
      contexts: [{ name: "x", context: { cluster: "c", user: "u", ...context } }],
      "current-context": "x",
    };
    await writeFile(file, JSON.stringify(config));
    return file;
  }

  /** Opens a cluster that leads here; closed with the server. */
  async openCluster({
    clock = systemClock,
    logger = silentLogger,
    ...parts
  }: KubeconfigParts & { readonly clock?: Clock; readonly logger?: Logger } = {}): Promise<Cluster> {
    const cluster = await openCluster({ kubeconfig: await this.writeKubeconfig(parts), clock, logger });
    this.#clusters.push(cluster);
    return cluster;
  }

  /** Breaks every connection and refuses new ones. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const cluster of this.#clusters) await cluster[Symbol.asyncDispose]();
    this.#server.closeAllConnections();
    this.#server.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on("error", () => {});
    const url = new URL(request.url ?? "/", "http://fake");
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const body: unknown = text === "" ? undefined : JSON.parse(text);
    const seen = {
      method: request.method ?? "",
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body,
    };
    this.requests.push(seen);
    const handler = this.#handlers.get(url.pathname) ?? fail(404, { reason: "NotFound", message: "not here" });
    handler(seen, response);
  }
}

/** What differs from a kubeconfig with a token. */
export interface KubeconfigParts {
  readonly cluster?: object;
  readonly user?: object;
  readonly context?: object;
}

/** A handler that answers 200 with JSON. */
export function answer(body: unknown): FakeHandler {
  return (_, response) => void response.setHeader("content-type", "application/json").end(JSON.stringify(body));
}

/** A handler that answers with a Status object. */
export function fail(code: number, status: object, headers: Readonly<Record<string, string>> = {}): FakeHandler {
  return (_, response) =>
    void response.writeHead(code, headers).end(JSON.stringify({ kind: "Status", code, ...status }));
}
