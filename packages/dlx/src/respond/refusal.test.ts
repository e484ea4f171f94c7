import { type ErrorCode, errorTable } from "@dormouse/core";
import { describe, expect, it } from "vitest";
import { toBytes } from "./answer.ts";
import { retryAfter, toRefusalAnswer } from "./refusal.ts";

describe("toRefusalAnswer", () => {
  it.each(Object.entries(errorTable))("says %s as the table does", (code, facts) => {
    const answer = toRefusalAnswer({ code: code as ErrorCode, resource: "local/default/app" }, "api");
    expect(answer.status).toBe(facts.status);
    expect(JSON.parse(answer.body)).toMatchObject({
      code,
      status: facts.status,
      detail: facts.detail,
      resource: "local/default/app",
    });
  });

  it.each([
    ["DLX_NO_ROUTE", "12"],
    ["DLX_WAKE_TIMEOUT", "4"],
    ["DLX_TARGET_TIMEOUT", "4"],
    ["SCALER_START_FAILED", "14"],
    ["DLX_TARGET_UNREACHABLE", "14"],
    ["DLX_LOOP", "13"],
    ["DLX_BAD_REQUEST", "13"],
  ] as const)("tells a gRPC caller %s as status %s", (code, status) => {
    const answer = toRefusalAnswer({ code }, "grpc");
    expect(answer).toMatchObject({ status: 200, body: "" });
    expect(answer.headers[answer.headers.indexOf("Grpc-Status") + 1]).toBe(status);
  });

  it("takes another status where one is given", () => {
    expect(toRefusalAnswer({ code: "DLX_BAD_REQUEST", status: 431 }, "api").status).toBe(431);
  });
});

it.each([
  [undefined, []],
  [0, ["Retry-After", "1"]],
  [1_000, ["Retry-After", "1"]],
  [1_001, ["Retry-After", "2"]],
])("retryAfter writes %s ms in whole seconds", (ms, headers) => {
  expect(retryAfter(ms)).toEqual(headers);
});

it("toBytes writes a whole answer that closes its connection", () => {
  expect(toBytes({ status: 404, headers: ["X-A", "1"], body: "ü" })).toBe(
    "HTTP/1.1 404 Not Found\r\nX-A: 1\r\nContent-Length: 2\r\nConnection: close\r\n\r\nü",
  );
});
