import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { PrometheusDriver, type QueryResult, ResponseType } from "prometheus-query";
import { toPrometheusError, toStatusError } from "./prometheus-error.ts";
import type { PrometheusOptions } from "./prometheus-options.ts";
import { ScalerError } from "@dormouse/core";

/** Bytes of an answer; 10,000 series take about 2 MB. */
const mostBytes = 32 * 1024 * 1024;

type Interceptors = Pick<
  ConstructorParameters<typeof PrometheusDriver>[0],
  "requestInterceptor" | "responseInterceptor"
>;

/** One sample of an instant vector. */
export interface PrometheusSample {
  readonly labels: Readonly<Record<string, string>>;
  /** NaN for everything that is no finite number. */
  readonly value: number;
}

/** Asks a Prometheus: prometheus-query behind the few settings that it leaves to its HTTP library. */
export class PrometheusClient implements Disposable {
  readonly #options: PrometheusOptions;
  readonly #httpAgent = new HttpAgent({ keepAlive: true, maxSockets: 20 });
  readonly #httpsAgent: HttpsAgent;

  /** @param ca PEM of the authorities to trust; left out: the system's */
  constructor(options: PrometheusOptions, ca: string | undefined) {
    this.#options = options;
    this.#httpsAgent = new HttpsAgent({ keepAlive: true, maxSockets: 20, ...(ca !== undefined && { ca }) });
  }

  /** Evaluates at the server's own time. Rejects with a ScalerError that holds no credentials. */
  async query(text: string, signal: AbortSignal): Promise<readonly PrometheusSample[]> {
    try {
      return toSamples(await this.#driver(signal).instantQuery(text));
    } catch (error) {
      throw toPrometheusError(error);
    }
  }

  [Symbol.dispose](): void {
    this.#httpAgent.destroy();
    this.#httpsAgent.destroy();
  }

  /** One for each query: the library takes a signal only by its interceptor. */
  #driver(signal: AbortSignal): PrometheusDriver {
    const { url, token, basicAuth, headers, timeout } = this.#options;
    return new PrometheusDriver({
      endpoint: url,
      preferPost: true,
      timeout,
      headers: { ...headers, ...(token !== undefined && { Authorization: `Bearer ${token}` }) },
      ...(basicAuth !== undefined && { auth: basicAuth }),
      ...this.#interceptors(signal),
    });
  }

  #interceptors(signal: AbortSignal): Interceptors {
    const settings = { signal, httpAgent: this.#httpAgent, httpsAgent: this.#httpsAgent, ...limits };
    return {
      requestInterceptor: {
        onFulfilled: (request) => {
          // A clock that differs from the server's would ask for a moment that is not now.
          if (request.data instanceof URLSearchParams) request.data.delete("time");
          return Object.assign(request, settings);
        },
      },
      responseInterceptor: {
        onFulfilled: (response) => {
          assertWhole(response.status, response.data);
          return response;
        },
      },
    };
  }
}

/** A redirect would carry the credentials elsewhere; the environment's proxies are not ours to read. */
const limits = {
  maxRedirects: 0,
  maxContentLength: mostBytes,
  proxy: false,
  validateStatus: () => true,
} as const;

/** Refuses failures, and answers with warnings: what is missing in a partial answer would look idle. */
function assertWhole(status: number, body: unknown): void {
  const {
    error,
    warnings,
    status: said,
  } = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
  if (status < 200 || status > 299) throw toStatusError(status, error);
  if (said !== "success") throw new ScalerError("SCALER_UNAVAILABLE", "the answer is not one of Prometheus");
  if (!Array.isArray(warnings) || warnings.length === 0) return;
  throw new ScalerError("SCALER_UNAVAILABLE", `the answer may be partial: ${String(warnings[0]).slice(0, 300)}`);
}

function toSamples({ resultType, result }: QueryResult): readonly PrometheusSample[] {
  if (resultType !== ResponseType.VECTOR) {
    throw new ScalerError("SCALER_BAD_ARGUMENT", `the query answers with a ${resultType}, not with an instant vector`);
  }
  const vectors = result as readonly {
    readonly metric: { readonly labels: Record<string, string> } | null;
    readonly value: { readonly value: number };
  }[];
  return vectors.map(({ metric, value }) => ({ labels: metric?.labels ?? {}, value: value.value }));
}
