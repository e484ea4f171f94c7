import type { IncomingHttpHeaders } from "node:http";
import type { ErrorCode, Milliseconds } from "@dormouse/core";
import type { Answer } from "./answer.ts";

/** gRPC's numbers (grpc/grpc `doc/statuscodes.md`). */
const grpcStatus = { deadlineExceeded: 4, unimplemented: 12, internal: 13, unavailable: 14 } as const;

const unitMs: Readonly<Record<string, Milliseconds>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

export function isGrpc(headers: IncomingHttpHeaders): boolean {
  return headers["content-type"]?.startsWith("application/grpc") === true;
}

/** How long a gRPC caller waits, in ms, from its `grpc-timeout`; undefined where it says nothing. */
export function grpcPatienceMs(headers: IncomingHttpHeaders): Milliseconds | undefined {
  const match = /^(\d{1,8})([HMSmun])$/.exec(String(headers["grpc-timeout"] ?? ""));
  return match === null ? undefined : Number(match[1]) * (unitMs[match[2] ?? ""] ?? 0);
}

/** Trailers-only: the status stands in the head of an empty 200 (gRPC over HTTP, "Responses"). */
export function toGrpcAnswer(code: ErrorCode, status: number, detail: string, more: readonly string[]): Answer {
  const message = `${code}: ${detail}`.replaceAll("%", "%25");
  const headers = [
    "Content-Type",
    "application/grpc",
    "Grpc-Status",
    String(toGrpcStatus(status)),
    "Grpc-Message",
    message,
  ];
  return { status: 200, headers: [...headers, ...more], body: "" };
}

function toGrpcStatus(status: number): number {
  if (status === 404) return grpcStatus.unimplemented;
  if (status === 504) return grpcStatus.deadlineExceeded;
  return status === 502 || status === 503 ? grpcStatus.unavailable : grpcStatus.internal;
}
