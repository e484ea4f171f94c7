import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import type { Clock, Milliseconds } from "@dormouse/core";
import { type FaultRates, requestFault, type RequestFault } from "./request-fault.ts";
import { mostReplicas, type ScaleItModel } from "./scaleit-model.ts";

export interface ScaleItServerOptions {
  readonly model: ScaleItModel;
  readonly clock: Clock;
  /** Of its faults. */
  readonly seed: number;
  /** The rates of now. */
  readonly faults: () => FaultRates;
  /** Simulated ms in one of the clock; left out: 1. */
  readonly speed?: number;
  /** Simulated ms that have passed already; left out: 0. A server that starts again goes on with its model. */
  readonly startAtMs?: number;
  /** Left out: 127.0.0.1. */
  readonly host?: string;
  /** Left out: any that is free. */
  readonly port?: number;
}

/** Requests since the server's start. */
export interface RequestCounts {
  readonly received: number;
  /** Of these, those that met a fault. */
  readonly faults: number;
  /** Of these, those that never got an answer. */
  readonly unanswered: number;
}

/** A server of the ScaleIt protocol that listens until it is disposed. */
export interface ScaleItServer extends AsyncDisposable {
  readonly port: number;
  /** Simulated ms since the model's start. */
  readonly atMs: number;
  /** What requests have met so far. */
  readonly counts: RequestCounts;
}

/** A request whose answer never comes is cut off after this, so that patient clients pile nothing up. */
const longestHangMs: Milliseconds = 60_000;
const mostBodyBytes = 65_536;

/**
 * Serves `GET /app/status` and `PUT /app/replicas` over a model, with faults at the moments that the seed has drawn.
 * Rejects with Node's error where it cannot listen.
 */
export async function openScaleItServer(options: ScaleItServerOptions): Promise<ScaleItServer> {
  const serving = new Serving(options);
  const server = createServer((request, response) => void serving.answer(request, response));
  server.listen(options.port ?? 0, options.host ?? "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    port,
    get atMs() {
      return serving.atMs;
    },
    get counts() {
      return { ...serving.counts };
    },
    [Symbol.asyncDispose]: () => close(server),
  };
}

async function close(server: Server): Promise<void> {
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
}

/** What a request is answered with. */
interface Answer {
  readonly status: number;
  readonly body?: string;
  readonly allow?: string;
}

class Serving {
  readonly #options: ScaleItServerOptions;
  readonly #startedAt: Milliseconds;
  readonly counts = { received: 0, faults: 0, unanswered: 0 };

  constructor(options: ScaleItServerOptions) {
    this.#options = options;
    this.#startedAt = options.clock.monotonic();
  }

  get atMs(): number {
    const { clock, speed = 1, startAtMs = 0 } = this.#options;
    return startAtMs + (clock.monotonic() - this.#startedAt) * speed;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.counts.received += 1;
    // A client that leaves in the middle has its answer already.
    response.on("error", () => {});
    const answer = await this.#route(request).catch(() => badRequest("the body could not be read"));
    if (answer === "timeout") this.#hang(response);
    else send(response, answer);
  }

  async #route(request: IncomingMessage): Promise<Answer | "timeout"> {
    const path = request.url?.split("?")[0];
    if (path === "/app/status") return request.method === "GET" ? this.#status() : notAllowed("GET");
    if (path === "/app/replicas") return request.method === "PUT" ? this.#replicas(request) : notAllowed("PUT");
    return { status: 404, body: JSON.stringify({ message: "there are /app/status and /app/replicas" }) };
  }

  #status(): Answer | "timeout" {
    const { model } = this.#options;
    model.advanceTo(this.atMs);
    const { cpu, replicas } = model.sample();
    const body = JSON.stringify({ cpu: { highPriority: cpu }, replicas });
    const fault = this.#fault("GET");
    if (fault === "timeout") return fault;
    if (fault === "error") return serverError;
    return { status: 200, body: fault === "broken" ? body.slice(0, Math.ceil(body.length / 2)) : body };
  }

  async #replicas(request: IncomingMessage): Promise<Answer | "timeout"> {
    const wanted = replicasOf(await json(bounded(request)).catch(() => undefined));
    if (wanted === undefined)
      return badRequest(`the body must be {"replicas": N}, N an integer from 1 to ${String(mostReplicas)}`);
    const fault = this.#fault("PUT");
    if (fault === "error" || fault === "broken") return serverError;
    const { model } = this.#options;
    model.advanceTo(this.atMs);
    model.setReplicas(wanted);
    // The worst of both: it is done, and whoever asked does not learn of it.
    return fault === "timeout" ? fault : { status: 204 };
  }

  #fault(method: string): RequestFault | undefined {
    const { seed, faults } = this.#options;
    const fault = requestFault(seed, method, this.atMs, faults());
    if (fault !== undefined) this.counts.faults += 1;
    return fault;
  }

  #hang(response: ServerResponse): void {
    this.counts.unanswered += 1;
    const timer = this.#options.clock.setTimer(longestHangMs, () => response.destroy(), { unref: true });
    response.on("close", () => timer.cancel());
  }
}

const serverError: Answer = { status: 500, body: JSON.stringify({ message: "something went wrong" }) };

function badRequest(message: string): Answer {
  return { status: 400, body: JSON.stringify({ message }) };
}

function notAllowed(allow: string): Answer {
  return { status: 405, allow, body: JSON.stringify({ message: `only ${allow}` }) };
}

function send(response: ServerResponse, { status, body, allow }: Answer): void {
  if (body !== undefined) response.setHeader("content-type", "application/json");
  if (allow !== undefined) response.setHeader("allow", allow);
  response.statusCode = status;
  response.end(body);
}

async function* bounded(request: IncomingMessage): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > mostBodyBytes) throw new RangeError("the body is too long");
    yield chunk;
  }
}

function replicasOf(body: unknown): number | undefined {
  const replicas: unknown = typeof body === "object" && body !== null ? Reflect.get(body, "replicas") : undefined;
  const isUsable = Number.isInteger(replicas) && (replicas as number) >= 1 && (replicas as number) <= mostReplicas;
  return isUsable ? (replicas as number) : undefined;
}
