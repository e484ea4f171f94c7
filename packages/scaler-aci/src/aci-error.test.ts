import { errorFacts } from "@dormouse/core";
import { describe, expect, it } from "vitest";
import { toAnswerError, toCallError, toProblem, toRefusedStart, toStartFailure } from "./aci-error.ts";

const now = Date.UTC(2026, 0, 1);

function answer(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Parameters<typeof toAnswerError>[0] {
  return { status, body: typeof body === "string" ? body : JSON.stringify(body), header: (name) => headers[name] };
}

function error(code: string, message = "it says"): object {
  return { error: { code, message } };
}

describe("an answer", () => {
  it.each([
    [409, error("ContainerGroupTransitioning"), "SCALER_CONFLICT"],
    [400, error("ContainerGroupQuotaReached"), "SCALER_QUOTA"],
    [409, error("Conflict", "container group quota 'StandardCores' exceeded in region 'westus2'"), "SCALER_QUOTA"],
    [409, error("ServiceUnavailable"), "SCALER_UNSCHEDULABLE"],
    [503, error("ServiceUnavailable", "'4' CPU is not available in the location 'westus'"), "SCALER_UNSCHEDULABLE"],
    [503, error("ServiceUnavailable", "try later"), "SCALER_UNAVAILABLE"],
    [400, error("InaccessibleImage"), "SCALER_IMAGE_PULL"],
    [409, error("RegistryErrorResponse"), "SCALER_IMAGE_PULL"],
    [400, error("OsVersionNotSupported"), "SCALER_START_FAILED"],
    [404, error("ResourceGroupNotFound"), "SCALER_NOT_FOUND"],
    [404, "", "SCALER_NOT_FOUND"],
    [401, error("InvalidAuthenticationToken"), "SCALER_FORBIDDEN"],
    [403, error("AuthorizationFailed"), "SCALER_FORBIDDEN"],
    [409, error("MissingSubscriptionRegistration"), "SCALER_FORBIDDEN"],
    [429, error("SubscriptionRequestsThrottled"), "SCALER_RATE_LIMITED"],
    [429, "slow down", "SCALER_RATE_LIMITED"],
    [408, "", "SCALER_TIMEOUT"],
    [504, "", "SCALER_TIMEOUT"],
    [500, "<html>", "SCALER_UNAVAILABLE"],
    [502, error("BadGateway"), "SCALER_UNAVAILABLE"],
    [400, error("SomethingNew"), "SCALER_INTERNAL"],
  ])("%i %j is %s", (status, body, code) => {
    const failure = toAnswerError(answer(status, body), "the start", now);
    expect(failure.code).toBe(code);
    expect(errorFacts(failure.code).retryable || !failure.retryable).toBe(true);
  });

  it.each([
    ["7", 7_000],
    ["0.5", 500],
    [new Date(now + 90_000).toUTCString(), 90_000],
    [new Date(now - 90_000).toUTCString(), 0],
    ["99999999", 3_600_000],
    ["soon", 5_000],
  ])("with Retry-After %s says %i ms", (text, ms) => {
    expect(toAnswerError(answer(429, "", { "retry-after": text }), "x", now).retryAfterMs).toBe(ms);
  });

  it("is passed on in Azure's words, cut where they do not end", () => {
    const { message } = toAnswerError(answer(400, error("InaccessibleImage", "x".repeat(5_000))), "the start", now);
    expect(message.startsWith("the start: InaccessibleImage: xxx")).toBe(true);
    expect(message.length).toBeLessThan(600);
  });

  it("that wraps another error tells the inner one", () => {
    const details = [{ code: "ContainerGroupQuotaReached", message: "no cores" }];
    expect(toProblem({ code: "BadRequest", message: "see details", details })).toEqual(details[0]);
  });
});

describe("a start that Azure refuses for good", () => {
  it.each(["ContainerGroupQuotaReached", "InaccessibleImage", "OsVersionNotSupported"])(
    "with %s is not repeated within a wake",
    (code) => {
      const failure = toAnswerError(answer(409, error(code)), "the start", now);
      expect(failure.retryable).toBe(false);
      expect(toRefusedStart(failure)).toMatchObject({ code: failure.code });
    },
  );

  it("is no such one while the group is in transition", () => {
    expect(toRefusedStart(toAnswerError(answer(409, error("ContainerGroupTransitioning")), "x", now))).toBeUndefined();
  });

  it.each([
    ["ContainerGroupQuotaReached", "SCALER_QUOTA"],
    ["ServiceUnavailable", "SCALER_UNSCHEDULABLE"],
    ["RequestTimeout", "SCALER_UNSCHEDULABLE"],
    ["InaccessibleImage", "SCALER_IMAGE_PULL"],
    ["AuthorizationFailed", "SCALER_START_FAILED"],
    ["Other", "SCALER_START_FAILED"],
  ])("by an operation that failed with %s is %s", (code, expected) => {
    expect(toStartFailure({ code, message: "words" })).toEqual({ code: expected, message: `${code}: words` });
  });
});

describe("what is thrown on the way", () => {
  it.each([
    [Object.assign(new Error("connect"), { code: "ECONNREFUSED" }), "SCALER_UNAVAILABLE"],
    [Object.assign(new Error("lookup"), { code: "ENOTFOUND" }), "SCALER_UNAVAILABLE"],
    [Object.assign(new Error("late"), { code: "ETIMEDOUT" }), "SCALER_TIMEOUT"],
    [Object.assign(new Error("over"), { code: "CERT_HAS_EXPIRED" }), "SCALER_UNAVAILABLE"],
    [Object.assign(new Error("parse"), { code: "PARSE_ERROR", statusCode: 200 }), "SCALER_UNAVAILABLE"],
    [Object.assign(new Error("no"), { name: "AuthenticationError", statusCode: 401 }), "SCALER_FORBIDDEN"],
    [Object.assign(new Error("down"), { name: "AuthenticationError", statusCode: 503 }), "SCALER_UNAVAILABLE"],
    [Object.assign(new Error("none"), { name: "CredentialUnavailableError" }), "SCALER_FORBIDDEN"],
    [new TypeError("a bug"), "SCALER_INTERNAL"],
    ["text", "SCALER_INTERNAL"],
  ])("%s is %s", (thrown, code) => {
    expect(toCallError(thrown, "the read", undefined).code).toBe(code);
  });

  it("after an abort is the abort, with the caller's reason", () => {
    const reason = new Error("left");
    const failure = toCallError(new Error("socket"), "the read", AbortSignal.abort(reason));
    expect(failure).toMatchObject({ code: "SCALER_ABORTED", cause: reason });
  });
});
