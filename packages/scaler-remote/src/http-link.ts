import { randomUUID } from "node:crypto";
import { isConfigError, type ScalerContext } from "@dormouse/core";
import { type Agent, type Dispatcher, request } from "undici";
import { openAgent } from "./http-agent.ts";
import { LineReader } from "./line-reader.ts";
import type { RemoteCall } from "./protocol.ts";
import { toAbortedError, toConnectionError, toDisposedError, toLieError, toStatusError } from "./remote-error.ts";
import type { Greet, Params, RemoteLink } from "./remote-link.ts";
import type { HttpOptions } from "./remote-options.ts";

/** RFC 6585, section 3: the remote has not been greeted by this instance, and has done nothing. */
const preconditionRequired = 428;

/** What a link to a server is made of. */
export interface HttpLinkParts {
  readonly http: HttpOptions;
  readonly messageBytes: number;
  readonly context: ScalerContext;
  readonly greet: Greet;
}

interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly body: unknown;
}

/** Says hello to the server. Rejects where it does not answer. */
export async function openHttpLink(parts: HttpLinkParts): Promise<RemoteLink> {
  const link = new HttpLink(parts);
  try {
    await link.greet();
    return link;
  } catch (error) {
    await link[Symbol.asyncDispose]();
    throw error;
  }
}

/** Each call is a POST of its own; a watch is one whose response goes on. */
class HttpLink implements RemoteLink {
  readonly #parts: HttpLinkParts;
  readonly #calls: Agent;
  readonly #watches: Agent;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #closing = new AbortController();
  #greeting: Promise<void> | undefined;

  constructor(parts: HttpLinkParts) {
    const { token } = parts.http;
    this.#parts = parts;
    this.#calls = openAgent(parts.http, "calls");
    this.#watches = openAgent(parts.http, "watches");
    this.#headers = {
      accept: "application/json",
      "content-type": "application/json",
      "dormouse-instance": randomUUID(),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    };
  }

  /** Says hello, once at a time. */
  greet(): Promise<void> {
    this.#greeting ??= this.#parts
      .greet((call, params, signal) => this.#exchange(call, params, signal), this.#closing.signal)
      .finally(() => (this.#greeting = undefined));
    return this.#greeting;
  }

  async call(call: RemoteCall, params: Params, signal: AbortSignal): Promise<unknown> {
    return this.#greetedFor(call, signal, () => this.#exchange(call, params, signal));
  }

  async *watch(params: Params, signal: AbortSignal): AsyncGenerator<unknown, void, undefined> {
    const left = new AbortController();
    const ended = AbortSignal.any([signal, left.signal, this.#closing.signal]);
    try {
      const response = await this.#greetedFor("watchResources", ended, () => this.#openWatch(params, ended));
      yield* this.#changesOf(response);
    } catch (error) {
      // A watch that was silent for long is begun anew by the host; so is one that was given up, if anybody wants it.
      if (ended.aborted || isSilence(error)) return;
      throw this.#toError("watchResources", error, ended);
    } finally {
      left.abort();
    }
  }

  onTimeout(): void {
    // The call's connection has been closed with it.
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(toDisposedError());
    await Promise.all([this.#calls.destroy(), this.#watches.destroy()]);
  }

  /** Where the server has lost its memory it says so before it does anything: then it is greeted, and asked again. */
  async #greetedFor<Result>(call: RemoteCall, signal: AbortSignal, ask: () => Promise<Result>): Promise<Result> {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof NotGreeted)) throw error;
      await this.greet();
      if (signal.aborted) throw toAbortedError(call, signal);
      return await ask().catch((again: unknown) => {
        throw again instanceof NotGreeted ? toStatusError(call, preconditionRequired, undefined, undefined) : again;
      });
    }
  }

  async #exchange(call: RemoteCall, params: Params, signal: AbortSignal): Promise<unknown> {
    const ended = AbortSignal.any([signal, this.#closing.signal]);
    try {
      return resultOf(call, await this.#readAnswer(call, await this.#post(this.#calls, call, params, ended)));
    } catch (error) {
      throw this.#toError(call, error, ended);
    }
  }

  async #openWatch(params: Params, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const response = await this.#post(this.#watches, "watchResources", params, signal);
    if (response.statusCode !== 200) resultOf("watchResources", await this.#readAnswer("watchResources", response));
    return response;
  }

  #post(agent: Agent, call: RemoteCall, params: Params, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const base = this.#parts.http.url.replace(/\/+$/, "");
    return request(`${base}/v1/${call}`, {
      method: "POST",
      headers: this.#headers,
      body: JSON.stringify(params),
      dispatcher: agent,
      signal,
    });
  }

  async #readAnswer(call: RemoteCall, { statusCode, headers, body }: Dispatcher.ResponseData): Promise<Answer> {
    const { messageBytes } = this.#parts;
    const chunks: Buffer[] = [];
    let bytes = 0;
    // Leaving the loop closes the connection: nothing more of the body is read.
    for await (const chunk of body as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > messageBytes) throw toLieError(call, `the body has more than ${String(messageBytes)} bytes`);
      chunks.push(chunk);
    }
    const retryAfter = headers["retry-after"];
    return {
      status: statusCode,
      retryAfter: typeof retryAfter === "string" ? retryAfter : undefined,
      body: parseJson(Buffer.concat(chunks)),
    };
  }

  async *#changesOf({ body }: Dispatcher.ResponseData): AsyncGenerator<unknown, void, undefined> {
    const { messageBytes } = this.#parts;
    const lines: Buffer[] = [];
    let isOverlong = false;
    const reader = new LineReader(messageBytes, (line, wasCut) => {
      lines.push(line);
      isOverlong ||= wasCut;
    });
    for await (const chunk of body as AsyncIterable<Buffer>) {
      reader.push(chunk);
      if (isOverlong || reader.isCutting)
        throw toLieError("watchResources", `a line has more than ${String(messageBytes)} bytes`);
      for (const line of lines.splice(0)) yield parseChange(line);
    }
  }

  #toError(call: RemoteCall, error: unknown, signal: AbortSignal): unknown {
    if (error instanceof NotGreeted || isConfigError(error)) return error;
    if (this.#closing.signal.aborted) return toDisposedError();
    if (signal.aborted) return toAbortedError(call, signal);
    return toConnectionError(call, error, this.#parts.http.url);
  }
}

/** The server does not know this instance. */
class NotGreeted extends Error {}

function resultOf(call: RemoteCall, { status, body, retryAfter }: Answer): unknown {
  if (status === 200 && body !== undefined) return body;
  if (status === 200) throw toLieError(call, "the body is no JSON");
  if (status === 204) return null;
  if (status === preconditionRequired && call !== "hello") throw new NotGreeted();
  throw toStatusError(call, status, body, retryAfter);
}

/** Undefined where it is none, which no JSON says. */
function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}

function parseChange(line: Buffer): unknown {
  const change = parseJson(line);
  if (change === undefined) throw toLieError("watchResources", "a line is no JSON");
  return change;
}

function isSilence(error: unknown): boolean {
  return error instanceof Error && Reflect.get(error, "code") === "UND_ERR_BODY_TIMEOUT";
}
