import type { ResourceRef, ScaleEvent } from "@dormouse/core";
import { createParser } from "eventsource-parser";
import { Agent, request } from "undici";
import type { ResourceList } from "../admin/resource-report.ts";
import type { WhyReport } from "../admin/why-report.ts";
import { type ClientTls, toConnectOptions } from "./client-tls.ts";
import { AdminFailure } from "./admin-failure.ts";

/** How long a host may take to accept the connection, in ms. What it does then may take long: a wake can take minutes. */
const connectTimeoutMs = 5_000;

export interface AdminClientOptions {
  /** Base URL of the admin API. */
  readonly url: string;
  readonly token?: string | undefined;
  /** Certificate and authorities, where the host asks for them or is known by them. */
  readonly tls?: ClientTls | undefined;
}

interface Call {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/** The admin API of a running host. Every call rejects with AdminFailure where the host is not there or refuses. */
export class AdminClient implements AsyncDisposable {
  readonly #options: AdminClientOptions;
  readonly #agent: Agent;

  constructor(options: AdminClientOptions) {
    this.#options = options;
    const connect = { timeout: connectTimeoutMs, ...toConnectOptions(options.tls) };
    this.#agent = new Agent({ connect, headersTimeout: 0, bodyTimeout: 0 });
  }

  /** @param signal gives up the waiting */
  list(signal?: AbortSignal): Promise<ResourceList> {
    return this.#json<ResourceList>({ method: "GET", path: "/v1/resources", signal });
  }

  /** @param signal gives up the waiting */
  why(ref: ResourceRef, signal?: AbortSignal): Promise<WhyReport> {
    return this.#json<WhyReport>({ method: "GET", path: `${pathOf(ref)}/why`, signal });
  }

  /** Resolves once the wake or sleep has ended, in whatever way. */
  scale(
    ref: ResourceRef,
    operation: "wake" | "sleep",
    options: { readonly reason: string; readonly signal?: AbortSignal },
  ): Promise<ScaleEvent> {
    const { reason, signal } = options;
    return this.#json<ScaleEvent>({ method: "POST", path: `${pathOf(ref)}/${operation}`, body: { reason }, signal });
  }

  /** The events that the host still knows, oldest first. */
  async events(): Promise<readonly ScaleEvent[]> {
    return (await this.#json<{ readonly events: readonly ScaleEvent[] }>({ method: "GET", path: "/v1/events" })).events;
  }

  /** Events as they happen, with the id to go on from, until the host ends the stream or the signal aborts. */
  async *follow(
    after: string | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<{ readonly id: string; readonly event: ScaleEvent }> {
    const headers = { accept: "text/event-stream", ...(after !== undefined && { "last-event-id": after }) };
    const body = await this.#send({ method: "GET", path: "/v1/events", headers, signal });
    const found: { id: string; event: ScaleEvent }[] = [];
    const parser = createParser({
      onEvent: ({ id = "", data }) => found.push({ id, event: JSON.parse(data) as ScaleEvent }),
    });
    const decoder = new TextDecoder();
    for await (const chunk of body) {
      parser.feed(decoder.decode(chunk as Uint8Array, { stream: true }));
      yield* found.splice(0);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy();
  }

  async #json<Answer>(call: Call): Promise<Answer> {
    const text = await (await this.#send(call)).text();
    try {
      return JSON.parse(text) as Answer;
    } catch {
      throw AdminFailure.noHost(this.#options.url, 200);
    }
  }

  async #send({ method, path, body, headers, signal }: Call): Promise<Body> {
    const { url, token } = this.#options;
    const sent = {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { "content-type": "application/json" }),
      ...headers,
    };
    const answer = await request(`${url}${path}`, {
      method,
      dispatcher: this.#agent,
      headers: sent,
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(signal !== undefined && { signal }),
    }).catch((error: unknown) => {
      throw AdminFailure.unreachable(url, error);
    });
    if (answer.statusCode >= 300) throw AdminFailure.refused(url, answer.statusCode, await answer.body.text());
    return answer.body;
  }
}

type Body = Awaited<ReturnType<typeof request>>["body"];

function pathOf({ scaler, namespace, name }: ResourceRef): string {
  return `/v1/resources/${scaler}/${namespace}/${name}`;
}
