import { type ClientRequest, type IncomingMessage, request as httpRequest } from "node:http";
import type { Socket } from "node:net";
import type { ArrivingBody, ForwardFailure, Outgoing, Reply, Sending } from "./forwarder.ts";
import type { UploadAgent } from "./upload-agent.ts";

/** A target has answered a dial just before; an address that leads nowhere now is given up after this. */
const connectLimitMs = 3_000;

/**
 * One request whose body is still arriving, by `node:http`: its head goes out at once, so that a target may answer from
 * the head alone. (undici writes the head together with the first bytes of the body.)
 */
export class UploadSending implements Sending {
  readonly #reply: Reply;
  readonly #body: ArrivingBody;
  readonly #request: ClientRequest;
  #stopBody: () => void = () => {};
  #response: IncomingMessage | undefined;
  #isSent = false;
  #isOver = false;
  #isStale = false;

  constructor(agent: UploadAgent, outgoing: Outgoing & { readonly body: ArrivingBody }, reply: Reply) {
    const { address: host, port } = agent.target;
    const { method, path, headers, body } = outgoing;
    this.#reply = reply;
    this.#body = body;
    const framing =
      body.length === undefined ? ["Transfer-Encoding", "chunked"] : ["Content-Length", String(body.length)];
    const lines = [...headers, ...framing, "Connection", "keep-alive"];
    this.#request = httpRequest({
      agent,
      host,
      port,
      method,
      path,
      headers: lines,
      setHost: false,
      maxHeaderSize: 131_072,
    });
    this.#request.on("socket", (socket) => this.#onSocket(socket));
    this.#request.on("information", (info) => reply.informed(info.statusCode, info.rawHeaders));
    this.#request.on("response", (response) => this.#onResponse(response));
    // Nobody asked it to: without a listener Node would close the connection and say nothing.
    this.#request.on("upgrade", (_response, socket) => {
      socket.destroy();
      this.#reply.replied();
      this.#fail(new Error("the target switched protocols unasked"));
    });
    this.#request.on("error", (error) => this.#fail(error));
    this.#request.on("close", () => this.#fail(new Error("the connection closed")));
    this.#request.flushHeaders();
  }

  resume(): void {
    this.#response?.resume();
  }

  abort(): void {
    if (this.#isOver) return;
    this.#finish();
    this.#request.destroy();
  }

  #onSocket(socket: Socket): void {
    this.#isStale = this.#request.reusedSocket;
    if (!socket.connecting) return this.#onConnected();
    const limit = (): void => void socket.destroy(new Error(`no connection within ${connectLimitMs} ms`));
    socket.setTimeout(connectLimitMs, limit);
    socket.once("connect", () => {
      socket.setTimeout(0, limit);
      socket.off("timeout", limit);
      this.#onConnected();
    });
  }

  #onConnected(): void {
    if (this.#isOver) return;
    this.#isSent = true;
    this.#reply.sent();
    const request = this.#request;
    this.#stopBody = this.#body.flowInto({
      write: (chunk) => request.write(chunk),
      end: () => {
        request.end();
        this.#reply.sentWhole();
      },
      onDrain: (listener) => void request.once("drain", listener),
    });
  }

  #onResponse(response: IncomingMessage): void {
    if (this.#isOver) return;
    this.#response = response;
    this.#reply.replied();
    response.on("data", (chunk: Buffer) => {
      if (!this.#isOver && !this.#reply.data(chunk)) response.pause();
    });
    response.on("end", () => this.#onEnd(response));
    response.on("error", (error) => this.#fail(error));
    try {
      this.#reply.began(response.statusCode ?? 0, response.statusMessage ?? "", response.rawHeaders);
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  #onEnd(response: IncomingMessage): void {
    if (this.#isOver) return;
    this.#finish();
    // A target may answer before it has the whole body: the rest is not for it any more.
    if (!this.#request.writableFinished) this.#request.destroy();
    this.#reply.ended(response.rawTrailers);
  }

  #fail(error: Error): void {
    if (this.#isOver) return;
    // What the target said before it closed the connection on an unwanted body still counts.
    if (this.#response !== undefined && !this.#response.readableEnded && this.#response.complete) return;
    this.#finish();
    this.#request.destroy();
    this.#reply.failed({ kind: this.#failureKind(error), stale: this.#isStale, error });
  }

  #finish(): void {
    this.#isOver = true;
    this.#stopBody();
  }

  #failureKind(error: Error): ForwardFailure["kind"] {
    if (!this.#isSent) return "unreachable";
    const code: unknown = Reflect.get(error, "code");
    return typeof code === "string" && code.startsWith("HPE_") ? "garbage" : "broken";
  }
}
