import type { LocalRef, Milliseconds } from "@dormouse/core";
import type { HttpCall, HttpClient } from "@dormouse/http-json";
import { fillBody, fillScalePath, type ScaleValues } from "./fill-body.ts";
import type { CompareAndSet } from "./http-options.ts";
import { readVersion } from "./read-version.ts";
import { type Api, urlBelow } from "./resolve-api.ts";
import { readStatus, type StatusReading } from "./status-reading.ts";

/** A host gives a call 10 s; what ends before tells more. */
export const callDeadlineMs: Milliseconds = 9_000;

/** A count to ask for. */
export interface ScaleWish {
  readonly replicas: number;
  readonly wakeReplicas: number;
  /** With compare-and-set: the version that has to be the present one. */
  readonly ifVersion: string | undefined;
}

/** The requests to one resource's API. Remembers nothing. */
export class ResourceApi {
  readonly api: Api;
  readonly #client: HttpClient;
  readonly #ref: LocalRef;
  readonly #condition: CompareAndSet | undefined;
  readonly #statusCall: HttpCall;

  constructor(client: HttpClient, ref: LocalRef, api: Api, condition: CompareAndSet | undefined) {
    this.api = api;
    this.#client = client;
    this.#ref = ref;
    this.#condition = condition;
    const { method, path, body, success } = api.status;
    this.#statusCall = {
      ...this.#common(),
      ...withBody(api.headers, body, "application/json"),
      method,
      url: urlBelow(api.url, path),
      success,
    };
    this.#expectRequests();
  }

  /** What the API says of the resource now. Rejects with an `HttpFailure`; `SCALER_NOT_FOUND`: it is gone. */
  readStatus(signal: AbortSignal | undefined): Promise<StatusReading> {
    const call = this.#statusCall;
    const read = (answer: Parameters<typeof readStatus>[1]): StatusReading =>
      readStatus(call, answer, this.api, this.#condition);
    return this.#client.exchange(call, { signal, deadlineMs: callDeadlineMs }, read);
  }

  /** Asks for a count; resolves once it is accepted, with the version of this very write where versions are the API's. */
  scale(
    { replicas, wakeReplicas, ifVersion }: ScaleWish,
    signal: AbortSignal | undefined,
  ): Promise<string | undefined> {
    const { method, path, body, contentType, success } = this.api.scale;
    const values: ScaleValues = { replicas, wakeReplicas, namespace: this.#ref.namespace, name: this.#ref.name };
    const { headers, ...content } = withBody(this.api.headers, fillBody(body, values), contentType);
    const condition = this.#condition;
    const call: HttpCall = {
      ...this.#common(),
      ...content,
      headers:
        condition === undefined || ifVersion === undefined
          ? headers
          : { ...headers, [condition.header.toLowerCase()]: ifVersion },
      method,
      url: urlBelow(this.api.url, fillScalePath(path, values)),
      success,
    };
    const options = {
      signal,
      deadlineMs: callDeadlineMs,
      ignoresBody: condition === undefined || condition.version === "etag",
    };
    return this.#client.exchange(call, options, (answer) =>
      condition === undefined ? undefined : readVersion(call, answer, condition),
    );
  }

  #expectRequests(): void {
    this.#client.expect(this.#statusCall);
    const { method, path } = this.api.scale;
    // With the count in its path each count has a URL of its own.
    if (!path.includes("{{")) this.#client.expect({ method, url: urlBelow(this.api.url, path) });
  }

  #common(): Pick<HttpCall, "timeoutMs" | "mostBytes" | "retries"> {
    const { timeoutMs, mostBytes, retries } = this.api;
    return { timeoutMs, mostBytes, retries };
  }
}

function withBody(headers: Api["headers"], body: unknown, contentType: string): Pick<HttpCall, "headers" | "body"> {
  if (body === undefined) return { headers };
  return { headers: { ...headers, "content-type": contentType }, body: JSON.stringify(body) };
}
