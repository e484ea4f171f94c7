import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { StandInService } from "./stand-in-service.ts";

/** A stand-in for the platform, to develop and test against: its API over real HTTP, its instances real servers. */
export class ExamplePlatform implements AsyncDisposable {
  readonly services = new Map<string, StandInService>();
  /** Answers to everything, where set. */
  refusal: { readonly status: number; readonly headers?: Readonly<Record<string, string>> } | undefined;
  /** Connections stay open, and nothing is answered. */
  isStalled = false;
  readonly #token: string | undefined;
  readonly #server: Server;
  #port: number;

  constructor({ port = 0, token }: { readonly port?: number; readonly token?: string } = {}) {
    this.#port = port;
    this.#token = token;
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  add(name: string, labels: Readonly<Record<string, string>> = {}): StandInService {
    const service = new StandInService(name, labels);
    this.services.set(name, service);
    return service;
  }

  /** Again after `cut`, it has the same port. */
  async listen(): Promise<void> {
    this.#server.listen(this.#port, "127.0.0.1");
    await once(this.#server, "listening");
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Nobody can reach it until it listens again. */
  async cut(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.cut();
    await Promise.all([...this.services.values()].map((service) => service.close()));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request);
    if (this.isStalled) return;
    if (this.refusal !== undefined) return reply(response, this.refusal.status, "refused", this.refusal.headers);
    if (this.#token !== undefined && request.headers.authorization !== `Bearer ${this.#token}`)
      return reply(response, 401, "wrong token");
    const [, collection, name, part] = (request.url ?? "").split("/").map(decodeURIComponent);
    if (collection !== "services") return reply(response, 404, "no such path");
    if (name === undefined) return reply(response, 200, [...this.services.values()]);
    const service = this.services.get(name);
    if (service === undefined) return reply(response, 404, `no service ${name}`);
    if (request.method === "GET" && part === undefined) return reply(response, 200, service);
    if (request.method === "PUT" && part === "count") return this.#write(service, request, response, body);
    return reply(response, 404, "no such path");
  }

  /** Comparing and writing is one step: nothing else runs between the two. */
  #write(service: StandInService, request: IncomingMessage, response: ServerResponse, body: string): void {
    const expected = request.headers["if-match"];
    if (expected !== undefined && expected !== service.revision) return reply(response, 412, "changed meanwhile");
    const { count } = JSON.parse(body) as { count: number };
    service.setCount(count);
    return reply(response, 200, { revision: service.revision });
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const chunk of request.setEncoding("utf8")) body += String(chunk);
  return body;
}

function reply(
  response: ServerResponse,
  status: number,
  content: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(content));
}
