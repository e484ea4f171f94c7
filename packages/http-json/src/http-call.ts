import type { Milliseconds } from "@dormouse/core";
import type { Retries } from "./request-options.ts";

/** Methods of the calls that are made here. */
export type HttpMethod = "GET" | "POST" | "PUT" | "PATCH";

/** One request, as often as it takes. */
export interface HttpCall {
  readonly method: HttpMethod;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Text of the body; its type stands in the headers. */
  readonly body?: string;
  /** Statuses that mean success; left out: 200 to 299. */
  readonly success?: readonly number[] | undefined;
  /** Limit of each try. */
  readonly timeoutMs: Milliseconds;
  readonly mostBytes: number;
  readonly retries: Retries;
}

/** An answer whose status means success. */
export interface HttpAnswer {
  readonly status: number;
  /** By lower-case name; of several of one name the first. */
  readonly headers: Readonly<Record<string, string>>;
  /** The whole body; empty where it was not asked for. */
  readonly text: string;
}

/** Whether the method asks for a change. */
export function isWrite({ method }: Pick<HttpCall, "method">): boolean {
  return method !== "GET";
}

/** Whether doing it twice is the same as doing it once (RFC 9110, section 9.2.2). */
export function isIdempotent({ method }: Pick<HttpCall, "method">): boolean {
  return method === "GET" || method === "PUT";
}

/** The call in words, without its query, which may hold a key. */
export function describeCall({ method, url }: Pick<HttpCall, "method" | "url">): string {
  return `${method} ${url.origin}${url.pathname}`;
}
