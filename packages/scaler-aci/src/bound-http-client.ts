import { readFile } from "node:fs/promises";
import { Agent } from "node:https";
import { getCACertificates } from "node:tls";
import {
  createDefaultHttpClient,
  type HttpClient,
  type PipelineRequest,
  type PipelineResponse,
} from "@azure/core-rest-pipeline";
import { toFileError, toForeignHostError } from "./aci-error.ts";

/** Connections of one host that are kept open. */
const mostConnections = 16;

/** What a `BoundHttpClient` needs. */
export interface BoundHttpClientOptions {
  /** The only origin that anything is sent to; left out: any. */
  readonly origin?: string | undefined;
  /** Further authorities in PEM, beside those that Node knows. */
  readonly ca?: string | undefined;
  /** Sends what may be sent; left out: over HTTPS. */
  readonly inner?: HttpClient | undefined;
}

/**
 * The last step before the network, below everything that the SDK does with a request: what would go to another origin
 * (a link to a next page, an operation, a redirect) is refused here, and so never carries a token away.
 */
export class BoundHttpClient implements HttpClient, Disposable {
  readonly #options: BoundHttpClientOptions;
  readonly #inner: HttpClient;
  readonly #agent: Agent;

  constructor(options: BoundHttpClientOptions) {
    this.#options = options;
    this.#inner = options.inner ?? createDefaultHttpClient();
    const { ca } = options;
    this.#agent = new Agent({
      keepAlive: true,
      maxSockets: mostConnections,
      ...(ca !== undefined && { ca: [...getCACertificates("default"), ca] }),
    });
  }

  async sendRequest(request: PipelineRequest): Promise<PipelineResponse> {
    const { origin } = this.#options;
    const asked = URL.canParse(request.url) ? new URL(request.url) : undefined;
    if (origin !== undefined && asked?.origin !== origin) throw toForeignHostError(asked?.origin ?? "no host", origin);
    // A proxy of the environment brings an agent of its own; a machine's own identity endpoint has no TLS.
    if (asked?.protocol === "https:") request.agent ??= this.#agent;
    return this.#inner.sendRequest(request);
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}

/** The PEM of `caFile`. Rejects with `SCALER_BAD_OPTIONS`. */
export async function readCa(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  return readFile(file, "utf8").catch((error: unknown) => {
    throw toFileError("caFile", file, error);
  });
}
