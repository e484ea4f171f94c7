import type { ErrorCode } from "@dormouse/core";

/** Codes of the admin API itself; everything else has the code of its ScalerError. */
export type AdminErrorCode =
  | "ADMIN_BAD_REQUEST"
  | "ADMIN_FOREIGN_HOST"
  | "ADMIN_METHOD_NOT_ALLOWED"
  | "ADMIN_NOT_FOUND"
  | "ADMIN_OTHER_DLX"
  | "ADMIN_TOO_LARGE"
  | "ADMIN_TOO_MANY_SUBSCRIBERS"
  | "ADMIN_UNAUTHORIZED"
  | "ADMIN_INTERNAL";

export interface AdminProblem {
  readonly status: number;
  readonly code: AdminErrorCode | ErrorCode;
  readonly detail: string;
  /** Printed ref, where it is about one. */
  readonly resource?: string;
}

/** An error answer as RFC 9457 has it. */
export function problemResponse(problem: AdminProblem, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(`${JSON.stringify({ title: titleOf(problem.status), ...problem })}\n`, {
    status: problem.status,
    headers: { "content-type": "application/problem+json", "cache-control": "no-store", ...headers },
  });
}

const titles: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  413: "Content Too Large",
  421: "Misdirected Request",
  503: "Service Unavailable",
  504: "Gateway Timeout",
};

function titleOf(status: number): string {
  return titles[status] ?? (status >= 500 ? "Internal Server Error" : "Error");
}
