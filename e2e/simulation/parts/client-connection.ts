import { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { ClientConnection, ClientResponse } from "@dormouse/dlx/testing";
import type { ClientRequest } from "../world/request-ledger.ts";

/** A client's connection without a socket: what is written to it is kept. */
class MemorySocket extends Duplex {
  readonly remoteAddress = "127.0.0.1";
  readonly localPort = 80;
  readonly written: Buffer[] = [];

  override _read(): void {
    // A client sends one request, which is there already.
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.written.push(chunk);
    done();
  }

  resetAndDestroy(): void {
    this.destroy();
  }

  destroySoon(): void {
    this.end();
    this.destroy();
  }
}

/** What a client got before its connection ended. */
export interface Received {
  readonly status: number;
  readonly contentType: string | undefined;
  readonly body: string;
}

/** One request of a client, as a DLX's intake takes it from its listener. */
export class MemoryExchange {
  readonly client: ClientConnection;
  readonly request: IncomingMessage;
  readonly response: ClientResponse;
  readonly #socket = new MemorySocket();

  /** @param ended called once: with the whole answer, or with undefined where the connection ended before */
  constructor(asked: ClientRequest, ended: (received: Received | undefined) => void) {
    const socket = this.#socket as unknown as Socket;
    this.client = new ClientConnection(socket, { route: undefined, isClosing: false });
    this.request = toIncoming(asked, socket);
    this.response = new ClientResponse(this.request);
    this.response.sendDate = false;
    this.response.assignSocket(socket);
    this.response.once("finish", () => {
      this.response.detachSocket(socket);
      const received = this.#received();
      process.nextTick(() => this.response.emit("close"));
      ended(received);
    });
    this.response.once("close", () => {
      if (!this.response.writableFinished) ended(undefined);
    });
  }

  /** The client goes away, or its connection breaks. */
  breakOff(): void {
    this.#socket.destroy();
  }

  #received(): Received {
    const text = Buffer.concat(this.#socket.written).toString("latin1");
    const type = this.response.getHeader("content-type") ?? /^content-type: (.*)\r$/im.exec(text)?.[1];
    return {
      status: this.response.statusCode,
      contentType: type?.toString(),
      body: text.slice(text.indexOf("\r\n\r\n") + 4),
    };
  }
}

const bodyText = "a body that is kept";

function toIncoming({ id, plan }: ClientRequest, socket: Socket): IncomingMessage {
  const request = new IncomingMessage(socket);
  const hasBody = plan.body === "small";
  request.method = plan.method;
  request.url = "/";
  request.httpVersion = "1.1";
  request.httpVersionMajor = 1;
  request.httpVersionMinor = 1;
  request.rawHeaders = ["Host", `${plan.resource}.test`, "X-Request-Id", id];
  if (hasBody) request.rawHeaders.push("Content-Length", String(bodyText.length));
  for (let index = 0; index < request.rawHeaders.length; index += 2)
    request.headers[request.rawHeaders[index]!.toLowerCase()] = request.rawHeaders[index + 1];
  if (hasBody) request.push(bodyText);
  request.push(null);
  request.complete = true;
  return request;
}
