import { ScalerError } from "@dormouse/core";
import type { KubeConfig } from "@kubernetes/client-node";
import { type Dispatcher, Pool, ProxyAgent } from "undici";
import { type KubeCredentials, readCredentials } from "./kube-credentials.ts";

/** Connections for calls; more wait their turn. */
const mostCallConnections = 16;
/** Connections for watches, each of which keeps one to itself. */
const mostStreamConnections = 512;

/** What goes over the wire. */
export interface WireRequest {
  readonly method: Dispatcher.HttpMethod;
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** Watches have connections of their own, so that they never keep calls waiting. */
  readonly lasts: boolean;
  readonly signal: AbortSignal;
}

interface Connections {
  readonly tlsKey: string;
  readonly calls: Dispatcher;
  readonly streams: Dispatcher;
}

/**
 * Connections to one API server, made anew when certificates change. Its limits are sizes and counts; time is the
 * caller's, by the signal.
 */
export class KubeTransport implements AsyncDisposable {
  readonly #config: KubeConfig;
  readonly #server: URL;
  readonly #proxy: string | undefined;
  #current: Connections | undefined;
  readonly #open = new Set<Dispatcher>();

  /** @throws ScalerError `SCALER_UNSUPPORTED` for a kind of proxy that we do not speak */
  constructor(config: KubeConfig) {
    const cluster = config.getCurrentCluster();
    this.#config = config;
    this.#server = new URL(cluster?.server ?? "");
    this.#proxy = cluster?.proxyUrl;
    if (this.#proxy !== undefined && !/^https?:/.test(this.#proxy))
      throw new ScalerError(
        "SCALER_UNSUPPORTED",
        `proxy-url ${this.#proxy} of the kubeconfig: only http and https proxies are supported`,
      );
  }

  /** Sends a request; resolves with its head. The caller reads or destroys the body. */
  async send({ method, path, headers, body, lasts, signal }: WireRequest): Promise<Dispatcher.ResponseData> {
    const credentials = await readCredentials(this.#config);
    signal.throwIfAborted();
    const { calls, streams } = this.#connectionsFor(credentials);
    return (lasts ? streams : calls).request({
      origin: this.#server.origin,
      method,
      path: `${this.#server.pathname.replace(/\/$/, "")}${path}`,
      headers: { ...headers, ...credentials.headers },
      body,
      signal,
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#current = undefined;
    await Promise.all([...this.#open].map((dispatcher) => dispatcher.destroy()));
    this.#open.clear();
  }

  #connectionsFor({ tls, tlsKey }: KubeCredentials): Connections {
    if (this.#current?.tlsKey === tlsKey) return this.#current;
    if (this.#current !== undefined) this.#retire(this.#current);
    this.#current = {
      tlsKey,
      calls: this.#dispatcher(tls, mostCallConnections),
      streams: this.#dispatcher(tls, mostStreamConnections),
    };
    return this.#current;
  }

  #dispatcher(tls: KubeCredentials["tls"], connections: number): Dispatcher {
    const settings = { connections, allowH2: false, headersTimeout: 0, bodyTimeout: 0, keepAliveTimeout: 30_000 };
    const dispatcher =
      this.#proxy === undefined
        ? new Pool(this.#server.origin, {
            ...settings,
            connect: { ...tls, keepAlive: true, keepAliveInitialDelay: 30_000 },
          })
        : new ProxyAgent({ ...settings, uri: this.#proxy, requestTls: tls });
    this.#open.add(dispatcher);
    return dispatcher;
  }

  /** What runs on the old connections may end there. */
  #retire({ calls, streams }: Connections): void {
    for (const dispatcher of [calls, streams]) {
      void dispatcher
        .close()
        .catch(() => {})
        .then(() => this.#open.delete(dispatcher));
    }
  }
}
