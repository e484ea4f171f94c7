import { lookup } from "node:dns";
import { Agent, request, WebSocket } from "undici";

export interface Answer {
  readonly status: number;
  readonly body: string;
  /** What Dormouse said of it; undefined without Dormouse. */
  readonly coldStart: boolean | undefined;
}

/** Speaks HTTP and WebSocket to one origin such as `http://site.localhost:8080`; names below localhost need no DNS. */
export class ServiceClient implements AsyncDisposable {
  readonly origin: string;
  readonly #agent: Agent;

  constructor(origin: string) {
    this.origin = origin;
    this.#agent = new Agent({
      connect: {
        lookup: (host, options, done) => lookup(host.endsWith(".localhost") ? "127.0.0.1" : host, options, done),
      },
      bodyTimeout: 0,
      headersTimeout: 0,
    });
  }

  async get(path: string, signal: AbortSignal): Promise<Answer> {
    return this.#send({ method: "GET", path, signal });
  }

  async post(path: string, value: unknown, signal: AbortSignal): Promise<Answer> {
    return this.#send({ method: "POST", path, signal, body: JSON.stringify(value) });
  }

  /** Not open yet; events say when. */
  webSocket(path: string): WebSocket {
    return new WebSocket(`${this.origin.replace("http", "ws")}${path}`, { dispatcher: this.#agent });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy();
  }

  async #send(call: { method: "GET" | "POST"; path: string; signal: AbortSignal; body?: string }): Promise<Answer> {
    const { path, ...options } = call;
    const headers = call.body === undefined ? {} : { "content-type": "application/json" };
    const answer = await request(`${this.origin}${path}`, { ...options, headers, dispatcher: this.#agent });
    const cold = answer.headers["x-dormouse-cold-start"];
    return {
      status: answer.statusCode,
      body: await answer.body.text(),
      coldStart: cold === undefined ? undefined : cold === "true",
    };
  }
}
