import type { Dispatcher } from "undici";
import type { ForwardFailure, Outgoing, Reply, Sending } from "./forwarder.ts";
import type { Connection, UndiciConnections } from "./undici-connections.ts";

const noLines: readonly Buffer[] = [];

/** Errors with which undici refuses a request before it writes any of it. */
const unsendable: ReadonlySet<unknown> = new Set(["UND_ERR_INVALID_ARG", "UND_ERR_NOT_SUPPORTED"]);

/** One request on one undici connection: translates between undici's handler and ours. */
export class UndiciSending implements Sending, Dispatcher.DispatchHandler {
  readonly #connections: UndiciConnections;
  readonly #connection: Connection;
  readonly #reply: Reply;
  readonly #stale: boolean;
  #controller: Dispatcher.DispatchController | undefined;
  #isOver = false;

  constructor(connections: UndiciConnections, connection: Connection, reply: Reply) {
    this.#connections = connections;
    this.#connection = connection;
    this.#reply = reply;
    this.#stale = connection.requests > 0;
    connection.requests += 1;
  }

  dispatch({ method, path, headers, body }: Outgoing & { readonly body: Buffer | undefined }): void {
    this.#connection.client.dispatch({ method, path, headers, body: body ?? null }, this);
  }

  resume(): void {
    this.#controller?.resume();
  }

  abort(): void {
    // The connection may serve another request by now.
    if (this.#isOver) return;
    this.#isOver = true;
    this.#connections.drop(this.#connection);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    this.#reply.sent();
    this.#reply.sentWhole();
  }

  onResponseStarted(): void {
    this.#reply.replied();
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, _headers: unknown, reason = ""): void {
    const headers = (controller.rawHeaders ?? noLines) as readonly Buffer[];
    if (status < 200) this.#reply.informed(status, headers);
    else this.#reply.began(status, reason, headers);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#reply.data(chunk)) controller.pause();
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    this.#isOver = true;
    this.#reply.ended((controller.rawTrailers ?? noLines) as readonly Buffer[]);
    this.#connections.release(this.#connection);
  }

  onResponseError(_controller: unknown, error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#connections.drop(this.#connection);
    const failure = { kind: this.#failureKind(error), stale: this.#stale, error };
    // undici refuses some requests before `dispatch` returns, and with it `send`.
    if (this.#controller === undefined) queueMicrotask(() => this.#reply.failed(failure));
    else this.#reply.failed(failure);
  }

  #failureKind(error: Error): ForwardFailure["kind"] {
    const code: unknown = Reflect.get(error, "code");
    if (this.#controller === undefined) return unsendable.has(code) ? "unsendable" : "unreachable";
    const isParserError = typeof code === "string" && (code.startsWith("HPE_") || code === "UND_ERR_HEADERS_OVERFLOW");
    return isParserError ? "garbage" : "broken";
  }
}
