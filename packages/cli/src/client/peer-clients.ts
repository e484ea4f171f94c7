import { type DlxPeer, isScalerError, type PeerAddress, ScalerError } from "@dormouse/core";
import { Agent, request } from "undici";
import type { z } from "zod";
import type { Credentials } from "../admin/credentials.ts";
import { peerHeader } from "../admin/peer-header.ts";
import { toConnectOptions } from "./client-tls.ts";
import { activitySchema, fenceSchema } from "./peer-answers.ts";

/** Connections to one DLX at once. */
const mostConnections = 4;
/** Bytes of an answer: one that has more resources than a hundred thousand is no answer. */
const mostBytes = 32 * 1_024 * 1_024;
/** Upper limits, in ms; callers have shorter ones. */
const limits = { connect: 5_000, headers: 15_000, body: 15_000, keepAlive: 30_000 };

export interface PeerClientsOptions {
  readonly credentials: Credentials;
  /** Name that certificates of other hosts must carry. */
  readonly serverName: string | undefined;
}

interface Call {
  readonly method: "GET" | "PUT";
  readonly path: string;
  readonly body?: object;
  readonly signal: AbortSignal | undefined;
}

/**
 * The DLXs of other hosts by their admin APIs. Whatever is not the answer of the very DLX that is meant rejects with a
 * ScalerError: another process at its address, garbage, a refusal, a broken connection.
 */
export class PeerClients implements AsyncDisposable {
  readonly #options: PeerClientsOptions;
  readonly #subscription: Disposable;
  #agent: Agent;

  constructor(options: PeerClientsOptions) {
    this.#options = options;
    this.#agent = openAgent(options);
    this.#subscription = options.credentials.subscribe(() => this.#renew());
  }

  /** Opens no connection before its first call. */
  connect(address: PeerAddress): DlxPeer {
    return {
      id: address.id,
      readActivity: (options) =>
        this.#ask(address, activitySchema, { method: "GET", path: "/v1/activity", signal: options?.signal }),
      fence: ({ scaler, namespace, name }, attempt, options) => {
        const path = `/v1/fences/${scaler}/${namespace}/${name}`;
        return this.#ask(address, fenceSchema(attempt), {
          method: "PUT",
          path,
          body: { attempt },
          signal: options?.signal,
        });
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#subscription[Symbol.dispose]();
    await this.#agent.destroy();
  }

  /** Calls under way end with the old certificates. */
  #renew(): void {
    const old = this.#agent;
    this.#agent = openAgent(this.#options);
    void old.close().catch(() => {});
  }

  async #ask<Answer>(address: PeerAddress, schema: z.ZodType<Answer>, call: Call): Promise<Answer> {
    try {
      const parsed = schema.safeParse(JSON.parse(await this.#send(address, call)));
      if (parsed.success) return parsed.data;
      throw unusable(address, `its answer is not of the form that is expected: ${parsed.error.issues[0]?.message}`);
    } catch (error) {
      throw toPeerError(error, address, call.signal);
    }
  }

  async #send(address: PeerAddress, { method, path, body, signal }: Call): Promise<string> {
    const { token, tls } = this.#options.credentials;
    // Neither the token nor a certificate is ever shown in the clear where there is TLS.
    const base = tls === undefined ? address.url : address.url.replace(/^http:/i, "https:");
    const answer = await request(`${base}${path}`, {
      method,
      dispatcher: this.#agent,
      headers: {
        [peerHeader]: address.id,
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(signal !== undefined && { signal }),
    });
    const text = await answer.body.text();
    if (answer.statusCode !== 200) throw refused(address, answer.statusCode, text);
    if (answer.headers[peerHeader] === address.id) return text;
    throw unusable(address, "what answers there is another process");
  }
}

function openAgent({ credentials: { tls }, serverName }: PeerClientsOptions): Agent {
  return new Agent({
    connections: mostConnections,
    pipelining: 1,
    headersTimeout: limits.headers,
    bodyTimeout: limits.body,
    keepAliveTimeout: limits.keepAlive,
    maxResponseSize: mostBytes,
    connect: {
      timeout: limits.connect,
      ...toConnectOptions(tls === undefined ? undefined : { ...tls, serverName }),
    },
  });
}

function refused(address: PeerAddress, status: number, body: string): ScalerError {
  const code = status === 401 || status === 403 ? "SCALER_FORBIDDEN" : "SCALER_UNAVAILABLE";
  const said = body.slice(0, 300).replaceAll(/\s+/g, " ").trim();
  return new ScalerError(code, `DLX ${address.id} at ${address.url} refused with status ${status}: ${said}`);
}

function unusable(address: PeerAddress, why: string): ScalerError {
  return new ScalerError("SCALER_UNAVAILABLE", `DLX ${address.id} at ${address.url}: ${why}`);
}

function toPeerError(error: unknown, address: PeerAddress, signal: AbortSignal | undefined): ScalerError {
  if (isScalerError(error)) return error;
  const what = `DLX ${address.id} at ${address.url}`;
  if (signal?.aborted === true) return new ScalerError("SCALER_ABORTED", `${what} was given up`, { cause: error });
  const message = error instanceof Error ? error.message : String(error);
  return new ScalerError("SCALER_UNAVAILABLE", `${what} did not answer: ${message}`, { cause: error });
}
