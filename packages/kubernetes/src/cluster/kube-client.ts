import { type Clock, type Milliseconds, ScalerError } from "@dormouse/core";
import type { Dispatcher } from "undici";
import { type ApiCall, describeCall, toApiCall } from "../api-call.ts";
import { toEndedError, toKubeError, toStatusError, toUnreadyError } from "../kube-error.ts";
import { type CallScope, openCallScope } from "./call-scope.ts";
import type { ApiMethod, ApiQuery, ApiRequestOptions, ApiStreamOptions } from "./cluster.ts";
import type { KubeTransport } from "./kube-transport.ts";
import { parseJson, readJsonLines, readText } from "./read-body.ts";

/** Where the server says whether it is ready (https://kubernetes.io/docs/reference/using-api/health-checks/). */
const readinessPath = "/readyz";

const defaultDeadlineMs: Milliseconds = 10_000;

/** Requests and streams over a transport, with deadlines and errors of ours. Owns the transport. */
export class KubeClient implements AsyncDisposable {
  readonly #transport: KubeTransport;
  readonly #clock: Clock;
  readonly #life = new AbortController();

  constructor(transport: KubeTransport, clock: Clock) {
    this.#transport = transport;
    this.#clock = clock;
  }

  async request<T>(method: ApiMethod, path: string, options: ApiRequestOptions = {}): Promise<T> {
    const { query, signal, deadlineMs } = options;
    const call = toApiCall(method, path, query);
    const scope = this.#openScope(call, signal, deadlineMs);
    try {
      const answer = async (): Promise<unknown> => {
        const response = await this.#send(method, path, options, scope.signal, false);
        const text = await readText(response.body);
        await this.#assertReady(call, response, text, scope.signal);
        this.#assertSuccess(call, response, text);
        return text === "" ? undefined : parseJson(text);
      };
      return (await scope.run(answer())) as T;
    } catch (error) {
      throw toKubeError(error, call);
    } finally {
      scope[Symbol.dispose]();
    }
  }

  async *stream(path: string, options: ApiStreamOptions = {}): AsyncGenerator<unknown, void> {
    const call = toApiCall("GET", path, options.query);
    const scope = this.#openScope(call, options.signal);
    let body: Dispatcher.ResponseData["body"] | undefined;
    try {
      const response = await scope.run(this.#send("GET", path, options, scope.signal, true));
      body = response.body;
      if (response.statusCode !== 200)
        this.#assertSuccess(call, response, await scope.run(readText(response.body)), [200]);
      scope.withoutDeadline();
      options.opened?.();
      yield* readJsonLines(response.body);
    } catch (error) {
      throw scope.signal.aborted ? scope.signal.reason : toKubeError(error, call);
    } finally {
      scope[Symbol.dispose]();
      body?.on("error", () => {}).destroy();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#life.abort();
    await this.#transport[Symbol.asyncDispose]();
  }

  #openScope(call: ApiCall, signal: AbortSignal | undefined, afterMs = defaultDeadlineMs): CallScope {
    const disposed = (): ScalerError =>
      new ScalerError("SCALER_DISPOSED", `the cluster was closed: no ${describeCall(call)}`);
    return openCallScope({
      clock: this.#clock,
      afterMs,
      late: () => toEndedError(call, "SCALER_TIMEOUT", `no answer within ${String(Math.round(afterMs))} ms`),
      signals: [
        { signal: this.#life.signal, error: disposed },
        { signal, error: () => toEndedError(call, "SCALER_ABORTED", "the call was given up") },
      ],
    });
  }

  #send(
    method: ApiMethod,
    path: string,
    { query, body, contentType, accept }: ApiRequestOptions,
    signal: AbortSignal,
    lasts: boolean,
  ): Promise<Dispatcher.ResponseData> {
    const headers = { accept: accept ?? "application/json", "user-agent": "dormouse" };
    const content = { ...headers, "content-type": contentType ?? "application/json" };
    return this.#transport.send({
      method,
      path: withQuery(path, query),
      headers: body === undefined ? headers : content,
      body: body === undefined ? null : JSON.stringify(body),
      lasts,
      signal,
    });
  }

  /**
   * A server that has just started grants nothing until it has read its roles, and says 403 meanwhile as if it were for
   * good. It is believed where it says besides that it is ready; where it knows no such path, too.
   */
  async #assertReady(
    call: ApiCall,
    { statusCode }: Dispatcher.ResponseData,
    text: string,
    signal: AbortSignal,
  ): Promise<void> {
    if (statusCode !== 403) return;
    const ready = await this.#send("GET", readinessPath, {}, signal, false);
    await readText(ready.body);
    if (ready.statusCode === 403 || ready.statusCode >= 500) throw toUnreadyError(call, text);
  }

  /** Everything but 2xx is a failure: a redirect leads away from the API server. */
  #assertSuccess(
    call: ApiCall,
    { statusCode, headers }: Dispatcher.ResponseData,
    text: string,
    accepted?: readonly number[],
  ): void {
    if (accepted?.includes(statusCode) ?? (statusCode >= 200 && statusCode < 300)) return;
    const header = headers["retry-after"];
    const retryAfter = { header: Array.isArray(header) ? header[0] : header, now: this.#clock.now() };
    throw toStatusError(call, statusCode, text, retryAfter);
  }
}

function withQuery(path: string, query: ApiQuery | undefined): string {
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries(query ?? {})) if (value !== undefined) parameters.set(key, String(value));
  return parameters.size === 0 ? path : `${path}?${parameters.toString()}`;
}
