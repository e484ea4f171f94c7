import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { backoffMs, type Clock, callWithDeadline, type Milliseconds, ScalerError } from "@dormouse/core";
import { Agent, type Dispatcher } from "undici";
import { describeCall, type HttpAnswer, type HttpCall, isIdempotent } from "./http-call.ts";
import {
  HttpFailure,
  toConnectionFailure,
  toContentFailure,
  toStatusFailure,
  toUnknownOutcome,
} from "./http-failure.ts";
import { discardBody, readText } from "./read-body.ts";
import { RequestFailures } from "./request-failures.ts";
import type { TlsOptions } from "./request-options.ts";
import { parseRetryAfter } from "./retry-after.ts";

/** Connections to one origin; more requests wait their turn. */
const mostConnections = 16;

/** Bytes of an answer that is no success which are read for its message. */
const failureBytes = 4_096;

/** What the client is opened with. */
export interface HttpClientOptions {
  readonly clock: Clock;
  readonly tls: TlsOptions;
}

/** What one exchange takes. */
export interface ExchangeOptions {
  readonly signal?: AbortSignal | undefined;
  /** Limit of all tries and waits together. */
  readonly deadlineMs: Milliseconds;
  /** The body does not matter: the status alone decides. */
  readonly ignoresBody?: boolean;
}

/** Sends requests, some several times, and reads their answers within bounds of time and size. Redirects are never followed. */
export class HttpClient implements AsyncDisposable {
  readonly #clock: Clock;
  readonly #agent: Agent;
  readonly #life = new AbortController();
  readonly #failures = new RequestFailures();

  private constructor(clock: Clock, ca: string | undefined) {
    this.#clock = clock;
    this.#agent = new Agent({
      connections: mostConnections,
      headersTimeout: 0,
      bodyTimeout: 0,
      ...(ca !== undefined && { connect: { ca } }),
    });
  }

  /** Opens a client; nothing is sent. Rejects with `SCALER_BAD_OPTIONS` where the authorities cannot be read. */
  static async open({ clock, tls }: HttpClientOptions): Promise<HttpClient> {
    return new HttpClient(clock, await readAuthorities(tls.ca));
  }

  /** Shows that such calls will be made: their count of failures stands at 0 until one fails. */
  expect(call: Pick<HttpCall, "method" | "url">): void {
    this.#failures.expect(call);
  }

  /**
   * Sends a call until an answer is a success that `read` accepts, as often as `retries` says and as long as the deadline
   * lasts. Only what can be repeated is: an idempotent call after any passing failure, any other one only after a failure
   * by which nothing can have happened. A `Retry-After` is waited for, or, where it is too long, handed on.
   *
   * @param read makes the result of an answer; throws an `HttpFailure` where its content is wrong
   * Rejects with an `HttpFailure`, `SCALER_ABORTED`, or `SCALER_DISPOSED` once the client is closed.
   */
  async exchange<Result>(
    call: HttpCall,
    { signal, deadlineMs, ignoresBody = false }: ExchangeOptions,
    read: (answer: HttpAnswer) => Result,
  ): Promise<Result> {
    const endsAt = this.#clock.monotonic() + deadlineMs;
    let unknown: HttpFailure | undefined;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return read(await this.#try(call, endsAt, ignoresBody, signal));
      } catch (error) {
        const failure = this.#toFailure(call, error, signal);
        if (failure instanceof HttpFailure) this.#failures.count(call);
        if (failure instanceof HttpFailure && failure.mayHaveHappened) unknown = failure;
        const waitMs = this.#waitMs(call, failure, attempt, endsAt);
        if (waitMs === undefined) throw finalFailure(failure, unknown);
        await this.#clock.sleep(waitMs, this.#signalOf(signal)).catch((reason: unknown) => {
          throw this.#toFailure(call, reason, signal);
        });
      }
    }
  }

  /** Ends what runs. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#life.abort(new ScalerError("SCALER_DISPOSED", "the HTTP client has been closed"));
    await this.#agent.destroy();
  }

  async #try(
    call: HttpCall,
    endsAt: Milliseconds,
    ignoresBody: boolean,
    signal: AbortSignal | undefined,
  ): Promise<HttpAnswer> {
    const leftMs = endsAt - this.#clock.monotonic();
    const afterMs = Math.max(1, Math.min(call.timeoutMs, leftMs));
    const deadline = { clock: this.#clock, afterMs, signal: this.#signalOf(signal), what: describeCall(call) };
    return callWithDeadline(deadline, (ending) => this.#send(call, ignoresBody, ending));
  }

  async #send(call: HttpCall, ignoresBody: boolean, signal: AbortSignal): Promise<HttpAnswer> {
    const { method, url, headers, body } = call;
    const response = await this.#agent.request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method,
      headers,
      body: body ?? null,
      signal,
    });
    const status = response.statusCode;
    const known = firstOfEach(response.headers);
    if (!isSuccess(call, status)) throw await this.#refused(call, response, known);
    if (ignoresBody) {
      await discardBody(response.body, this.#clock);
      return { status, headers: known, text: "" };
    }
    const text = await readText(response.body, call.mostBytes);
    if (text === undefined) throw toContentFailure(call, `has more than ${String(call.mostBytes)} bytes`);
    return { status, headers: known, text };
  }

  async #refused(
    call: HttpCall,
    { statusCode, body }: Dispatcher.ResponseData,
    headers: HttpAnswer["headers"],
  ): Promise<HttpFailure> {
    const text = await readText(body, failureBytes).catch(() => "");
    const retryAfterMs = parseRetryAfter(headers["retry-after"], this.#clock.now());
    return toStatusFailure(call, statusCode, { text: text ?? "", location: headers["location"], retryAfterMs });
  }

  #signalOf(signal: AbortSignal | undefined): AbortSignal {
    return signal === undefined ? this.#life.signal : AbortSignal.any([this.#life.signal, signal]);
  }

  /** Whoever gave up hears of that, whatever the try made of it. */
  #toFailure(call: HttpCall, error: unknown, signal: AbortSignal | undefined): ScalerError {
    if (this.#life.signal.aborted)
      return new ScalerError("SCALER_DISPOSED", `${describeCall(call)}: the scaler has been closed`);
    if (signal?.aborted === true)
      return new ScalerError("SCALER_ABORTED", `${describeCall(call)} was given up`, { cause: signal.reason });
    return toConnectionFailure(call, error);
  }

  /** Undefined: there is no further try. */
  #waitMs(call: HttpCall, failure: ScalerError, attempt: number, endsAt: Milliseconds): Milliseconds | undefined {
    const { attempts, firstWait, longestWait } = call.retries;
    if (!(failure instanceof HttpFailure) || !failure.isPassing || attempt >= attempts) return undefined;
    if (failure.mayHaveHappened && !isIdempotent(call)) return undefined;
    const ownMs = backoffMs(attempt - 1, { firstMs: firstWait, longestMs: longestWait });
    const waitMs = Math.max(ownMs, failure.saidRetryAfterMs ?? 0);
    return this.#clock.monotonic() + waitMs < endsAt ? waitMs : undefined;
  }
}

/** A refusal says that nothing happened; of an earlier try that is not known. */
function finalFailure(failure: ScalerError, unknown: HttpFailure | undefined): ScalerError {
  if (unknown === undefined || !(failure instanceof HttpFailure) || failure.mayHaveHappened) return failure;
  return toUnknownOutcome(failure, unknown);
}

function isSuccess({ success }: HttpCall, status: number): boolean {
  return success?.includes(status) ?? (status >= 200 && status < 300);
}

function firstOfEach(headers: Dispatcher.ResponseData["headers"]): Readonly<Record<string, string>> {
  const entries = Object.entries(headers).flatMap(([name, value]) => {
    const first = Array.isArray(value) ? value[0] : value;
    return first === undefined ? [] : [[name.toLowerCase(), first] as const];
  });
  return Object.fromEntries(entries);
}

/** PEM text as it is given or as its file holds it. @throws ScalerError where it is none, or cannot be read */
async function readAuthorities(ca: TlsOptions["ca"]): Promise<string | undefined> {
  const text = typeof ca === "object" ? await readAuthorityFile(ca.file) : ca;
  if (text !== undefined) parseCertificate(text);
  return text;
}

function readAuthorityFile(file: string): Promise<string> {
  return readFile(file, "utf8").catch((cause: unknown) => {
    throw new ScalerError("SCALER_BAD_OPTIONS", `tls.ca.file ${file} cannot be read: ${String(cause)}`, { cause });
  });
}

function parseCertificate(text: string): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch (cause) {
    const message = `tls.ca holds no certificate that can be read: ${String(cause)}`;
    throw new ScalerError("SCALER_BAD_OPTIONS", message, { cause });
  }
}
