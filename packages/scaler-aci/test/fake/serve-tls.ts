import { createServer, type Server } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Certificate } from "./certificates.ts";
import type { FakeAnswer } from "./fake-arm.ts";

/** Answers one request; the body is there. */
export type Answer = (request: IncomingMessage, body: string) => Promise<FakeAnswer>;

/** A server on this machine behind TLS. */
export class TlsServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Resolves when answers are given again. */
  #stalled: Promise<void> | undefined;
  #port = 0;
  /** Requests that came in. */
  count = 0;

  private constructor({ cert, key }: Certificate, answer: Answer) {
    // The signed addresses of operations are longer than Node takes by default together with a long token.
    this.#server = createServer({ cert, key, maxHeaderSize: 65_536 }, (request, response) => {
      this.count += 1;
      void this.#handle(request, response, answer);
    });
    this.#server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
  }

  static async start(certificate: Certificate, answer: Answer): Promise<TlsServer> {
    const server = new TlsServer(certificate, answer);
    await server.#listen();
    return server;
  }

  get origin(): string {
    return `https://localhost:${this.#port}`;
  }

  /** Answers nothing until the result is called. */
  stall(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#stalled = promise;
    return () => {
      this.#stalled = undefined;
      resolve();
    };
  }

  /** Out of reach until the result is called. */
  async cut(): Promise<() => Promise<void>> {
    await this.#close();
    return async () => this.#listen();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stalled = undefined;
    await this.#close();
  }

  async #listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(this.#port, "localhost", () => resolve());
    });
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async #close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
    await closed;
  }

  async #handle(request: IncomingMessage, response: ServerResponse, answer: Answer): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const given = await answer(request, Buffer.concat(parts).toString("utf8"));
    await this.#stalled;
    if (given.fault === "hang") return;
    if (given.fault === "reset") return void request.socket.destroy();
    send(response, given);
  }
}

function send(response: ServerResponse, { status, headers, body, text, fault }: FakeAnswer): void {
  const written = text ?? (body === undefined ? "" : JSON.stringify(body));
  response.writeHead(status, { "content-type": "application/json; charset=utf-8", ...headers });
  response.end(fault === "truncate" ? written.slice(0, Math.floor(written.length / 2)) : written);
}
