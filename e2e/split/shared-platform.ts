import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** One running instance of a service. */
interface Instance {
  readonly id: string;
  readonly server: Server;
  ready: boolean;
}

/** What the plugin reads of a service. */
export interface SharedService {
  readonly name: string;
  readonly desired: number;
  readonly ready: number;
  readonly wakeReplicas: number;
  readonly version: string;
  readonly updatedAt: number;
  readonly targets: readonly { readonly id: string; readonly port: number; readonly ready: boolean }[];
}

/** How long an instance takes to listen, and how long a lease holds that is not renewed, in ms. */
const times = { start: 30, lease: 1_000 };

/**
 * A platform that several hosts share over HTTP, with one service, compare-and-set and a lease. An instance that is stopped
 * breaks what it was doing, as a platform without grace does: so a sleep that comes too early shows.
 */
export class SharedPlatform implements AsyncDisposable {
  readonly name = "shop";
  /** Ids of the requests that the service executed, in order. */
  readonly executed: string[] = [];
  /** Accepted writes of 0 over a count that was not. */
  stops = 0;
  /** Requests that a stop broke. */
  broken = 0;
  /** Instances listen only while this is open. */
  readonly #api = createServer((request, response) => void this.#serve(request, response));
  readonly #instances = new Set<Instance>();
  #startGate: Promise<void> = Promise.resolve();
  #desired = 0;
  #wakeReplicas = 1;
  #version = 1;
  #updatedAt = Date.now();
  #lease: { readonly holder: string; readonly until: number } | undefined;
  #started = 0;

  static async open(): Promise<SharedPlatform> {
    const platform = new SharedPlatform();
    await listen(platform.#api);
    return platform;
  }

  get url(): string {
    return urlOf(this.#api);
  }

  get desired(): number {
    return this.#desired;
  }

  /** Whose lease holds; undefined: nobody's. */
  get leader(): string | undefined {
    return this.#lease !== undefined && this.#lease.until > performance.now() ? this.#lease.holder : undefined;
  }

  /** Lets no instance listen until the result is called. */
  holdStarts(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#startGate = promise;
    return resolve;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const instance of this.#instances) this.#stop(instance);
    this.#api.closeAllConnections();
    await new Promise((resolve) => this.#api.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = "";
    for await (const chunk of request as AsyncIterable<Buffer>) text += chunk.toString();
    const [status, body] = this.#answer(
      request,
      text === "" ? {} : (JSON.parse(text) as Readonly<Record<string, unknown>>),
    );
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  }

  #answer({ method, url }: IncomingMessage, asked: Readonly<Record<string, unknown>>): readonly [number, object] {
    if (url === "/lease") return [200, { holder: this.#takeLease(String(asked["holder"]), method === "DELETE") }];
    if (method === "PUT") {
      if (asked["ifVersion"] !== undefined && asked["ifVersion"] !== this.#versionText) return [409, {}];
      this.#scale(Number(asked["replicas"]));
    }
    return [200, this.#read()];
  }

  #takeLease(holder: string, isRelease: boolean): string | null {
    const leader = this.leader;
    if (leader === undefined || leader === holder)
      this.#lease = isRelease ? undefined : { holder, until: performance.now() + times.lease };
    return this.leader ?? null;
  }

  get #versionText(): string {
    return `v${this.#version}`;
  }

  #read(): SharedService {
    return {
      name: this.name,
      desired: this.#desired,
      ready: [...this.#instances].filter(({ ready }) => ready).length,
      wakeReplicas: this.#wakeReplicas,
      version: this.#versionText,
      updatedAt: this.#updatedAt,
      targets: [...this.#instances]
        .filter(({ server }) => server.listening)
        .map(({ id, server, ready }) => ({ id, port: portOf(server), ready })),
    };
  }

  #scale(replicas: number): void {
    if (replicas === 0 && this.#desired > 0) this.stops += 1;
    if (replicas > 0) this.#wakeReplicas = replicas;
    this.#desired = replicas;
    this.#version += 1;
    this.#updatedAt = Date.now();
    for (const instance of [...this.#instances].slice(replicas)) this.#stop(instance);
    for (let missing = replicas - this.#instances.size; missing > 0; missing -= 1) void this.#start();
  }

  async #start(): Promise<void> {
    const open = new Set<ServerResponse>();
    const server = createServer((request, response) => {
      open.add(response);
      response.on("close", () => open.delete(response));
      void this.#work(request, response);
    });
    const instance: Instance = { id: `i${++this.#started}`, server, ready: false };
    // What is open when the connections are broken was lost.
    server.on("broken", () => (this.broken += open.size));
    this.#instances.add(instance);
    await Promise.all([this.#startGate, sleep(times.start)]);
    if (!this.#instances.has(instance)) return;
    await listen(server);
    instance.ready = true;
    if (!this.#instances.has(instance)) this.#stop(instance);
  }

  /** Takes a moment, so that a stop can come in between. */
  async #work(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const id = String(request.headers["x-request-id"]);
    await sleep(5 + Math.random() * 20);
    if (response.destroyed) return;
    this.executed.push(id);
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ id }));
  }

  #stop(instance: Instance): void {
    this.#instances.delete(instance);
    instance.server.emit("broken");
    instance.server.closeAllConnections();
    instance.server.close();
  }
}

async function listen(server: Server): Promise<void> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

function urlOf(server: Server): string {
  return `http://127.0.0.1:${portOf(server)}`;
}
