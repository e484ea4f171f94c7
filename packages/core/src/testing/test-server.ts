import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

/** A request with its body read. */
export interface TestRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** What a test answers; a function writes the answer itself. */
export type TestAnswer =
  | { readonly status?: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: unknown }
  | ((response: ServerResponse) => void);

/** An HTTP server of a test on a port of its own, which can stall and be cut. */
export class TestServer {
  readonly requests: TestRequest[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #answer: (request: TestRequest) => TestAnswer | Promise<TestAnswer>;
  #port = 0;
  #stalled: { readonly ended: Promise<void>; readonly end: () => void } | undefined;

  private constructor(answer: (request: TestRequest) => TestAnswer | Promise<TestAnswer>) {
    this.#answer = answer;
    this.#server = createServer((request, response) => void this.#serve(request, response));
    this.#server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
  }

  static async open(answer: (request: TestRequest) => TestAnswer | Promise<TestAnswer>): Promise<TestServer> {
    const server = new TestServer(answer);
    await server.#listen();
    return server;
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `http://127.0.0.1:${String(this.#port)}`;
  }

  /** Answers nothing until the result is called; what was asked meanwhile and given up is not carried out. */
  stall(): () => Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#stalled = { ended: promise, end: resolve };
    return async () => {
      this.#stalled = undefined;
      resolve();
    };
  }

  /** Is out of reach until the result is called. */
  async cut(): Promise<() => Promise<void>> {
    await this.#stop();
    return () => this.#listen();
  }

  async close(): Promise<void> {
    this.#stalled?.end();
    if (this.#server.listening) await this.#stop();
  }

  async #listen(): Promise<void> {
    this.#server.listen(this.#port, "127.0.0.1");
    await once(this.#server, "listening");
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async #stop(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
      const body = Buffer.concat(chunks).toString("utf8");
      await this.#stalled?.ended;
      if (incoming.socket.destroyed) return;
      const request = { method: incoming.method ?? "", path: incoming.url ?? "", headers: incoming.headers, body };
      this.requests.push(request);
      send(response, await this.#answer(request));
    } catch {
      response.destroy();
    }
  }
}

function send(response: ServerResponse, answer: TestAnswer): void {
  if (typeof answer === "function") return answer(response);
  const { status = 200, headers = {}, body } = answer;
  const text = body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body);
  const type = typeof body === "string" || body === undefined ? {} : { "content-type": "application/json" };
  response.writeHead(status, { ...type, ...headers });
  response.end(text);
}
