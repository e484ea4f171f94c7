import type { Clock, Milliseconds } from "@dormouse/core";
import { Agent, request } from "undici";
import { version } from "../version.ts";
import type { Gateway } from "./choose-gateway.ts";
import type { Reply, ReplyHeaders } from "./reply.ts";
import { withDeadline } from "./with-deadline.ts";

/** How long a connection may take, in ms. */
const connectTimeoutMs = 10_000;

/** Bytes of an answer that are looked at. */
const readBytes = 1_048_576;

/** What each request is like. */
export interface ProveClientOptions {
  readonly gateway: Gateway;
  readonly method: "GET" | "POST";
  /** `{id}` in it stands for the id. */
  readonly body?: string | undefined;
  /** Header that carries the id. */
  readonly idHeader: string;
  /** What a request may take until its answer is whole. */
  readonly timeoutMs: Milliseconds;
  /** Connections at once. */
  readonly connections: number;
  readonly clock: Clock;
}

/** Sends requests that carry ids. */
export class ProveClient implements AsyncDisposable {
  readonly #options: ProveClientOptions;
  readonly #agent: Agent;

  constructor(options: ProveClientOptions) {
    this.#options = options;
    const { connections } = options;
    const connect = { timeout: connectTimeoutMs };
    this.#agent = new Agent({ connections, pipelining: 1, headersTimeout: 0, bodyTimeout: 0, connect });
  }

  /** Sends one request and reads its whole answer. Never rejects. */
  async send(id: string, signal: AbortSignal): Promise<Reply> {
    const { clock, timeoutMs } = this.#options;
    let headers: ReplyHeaders | undefined;
    const late = `no whole answer within ${timeoutMs} ms`;
    try {
      return await withDeadline({ clock, limitMs: timeoutMs, signal, late }, async (signal) => {
        const answer = await this.#request(id, signal);
        headers = answer.headers;
        return { kind: "whole", status: answer.statusCode, headers, text: await readText(answer.body) };
      });
    } catch (error) {
      return { kind: "broken", what: describeBreak(error), ...(headers !== undefined && { headers }) };
    }
  }

  /** The text of an answer to a plain request, for what is no part of the proof; rejects with what went wrong. */
  async read(place: string, signal: AbortSignal): Promise<string> {
    const { clock, timeoutMs, gateway } = this.#options;
    const isPath = place.startsWith("/");
    const late = `no answer within ${timeoutMs} ms`;
    return withDeadline({ clock, limitMs: timeoutMs, signal, late }, async (signal) => {
      const headers = isPath ? { ...gateway.headers, host: gateway.host } : {};
      const answer = await request(isPath ? `${gateway.origin}${place}` : place, {
        dispatcher: this.#agent,
        headers,
        signal,
      });
      const text = await answer.body.text();
      if (answer.statusCode !== 200) throw new Error(`status ${answer.statusCode}`);
      return text;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy();
  }

  #request(id: string, signal: AbortSignal): ReturnType<typeof request> {
    const { gateway, method, body, idHeader } = this.#options;
    const fill = (text: string): string => text.replaceAll("{id}", id);
    const wished = Object.entries(gateway.headers).map(([name, value]) => [name.toLowerCase(), fill(value)] as const);
    return request(`${gateway.origin}${fill(gateway.path)}`, {
      dispatcher: this.#agent,
      method,
      headers: {
        "user-agent": `dormouse-prove/${version}`,
        ...Object.fromEntries(wished),
        host: gateway.host,
        [idHeader.toLowerCase()]: id,
      },
      ...(body !== undefined && { body: fill(body) }),
      signal,
    });
  }
}

/** The first part of a body, read to its end: only so a cut one shows. */
async function readText(body: AsyncIterable<unknown>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    if (bytes < readBytes) chunks.push(chunk as Uint8Array);
    bytes += (chunk as Uint8Array).length;
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** `ECONNREFUSED`, or what there is of words. */
function describeBreak(error: unknown): string {
  const inner = error instanceof AggregateError ? (error.errors[0] as unknown) : error;
  if (!(inner instanceof Error)) return String(inner);
  return inner.message === "" ? String(Reflect.get(inner, "code") ?? inner.name) : inner.message;
}
