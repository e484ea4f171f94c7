import { STATUS_CODES } from "node:http";
import { type ErrorCode, errorFacts, type Milliseconds } from "@dormouse/core";
import type { Answer } from "./answer.ts";
import { toGrpcAnswer } from "./grpc.ts";
import { toErrorPage } from "./page.ts";

/** How a caller wants to be told of an error. */
export type CallerKind = "api" | "browser" | "grpc";

export interface Refusal {
  readonly code: ErrorCode;
  /** Printed ref; left out where no resource was found. */
  readonly resource?: string;
  /** Overrides the table's. */
  readonly status?: number;
  /** When to come again, in ms. */
  readonly retryAfterMs?: Milliseconds | undefined;
}

/** An error as an answer: problem details (RFC 9457), a small page for a browser, a trailers-only status for gRPC. */
export function toRefusalAnswer(refusal: Refusal, caller: CallerKind): Answer {
  const facts = errorFacts(refusal.code);
  const status = refusal.status ?? facts.status;
  const retry = retryAfter(refusal.retryAfterMs ?? facts.retryAfterMs);
  if (caller === "grpc") return toGrpcAnswer(refusal.code, status, facts.detail, retry);
  const common = ["Cache-Control", "no-store", ...retry];
  if (caller === "browser") return toErrorPage(status, facts.detail, refusal.code, common);
  const problem = {
    type: "about:blank",
    title: STATUS_CODES[status] ?? "Error",
    status,
    code: refusal.code,
    ...(refusal.resource !== undefined && { resource: refusal.resource }),
    detail: facts.detail,
  };
  return {
    status,
    headers: ["Content-Type", "application/problem+json", ...common],
    body: `${JSON.stringify(problem)}\n`,
  };
}

/** `Retry-After` in whole seconds, at least one (RFC 9110 §10.2.3). */
export function retryAfter(ms: Milliseconds | undefined): readonly string[] {
  return ms === undefined ? [] : ["Retry-After", String(Math.max(1, Math.ceil(ms / 1_000)))];
}
