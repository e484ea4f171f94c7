import { describe, expect, it } from "vitest";
import type { HttpCall } from "./http-call.ts";
import { HttpFailure, quote, toConnectionFailure } from "./http-failure.ts";

const call = { method: "PUT", url: new URL("http://apps:8123/replicas?key=secret") } as HttpCall;
const failed = (code: string, message = "it failed"): Error => Object.assign(new Error(message), { code });

describe("a request without an answer", () => {
  it.each([
    ["ECONNREFUSED", false],
    ["ENOTFOUND", false],
    ["EAI_AGAIN", false],
    ["UND_ERR_CONNECT_TIMEOUT", false],
    ["CERT_HAS_EXPIRED", false],
    ["ECONNRESET", true],
    ["EPIPE", true],
    ["UND_ERR_SOCKET", true],
    ["UND_ERR_BODY_TIMEOUT", true],
    ["", true],
  ])("by %s may have been carried out: %s", (code, mayHaveHappened) => {
    expect(toConnectionFailure(call, failed(code))).toMatchObject({
      code: "SCALER_UNAVAILABLE",
      mayHaveHappened,
      isPassing: true,
    });
  });

  it("names the call, and the mend of a certificate that has run out", () => {
    const { message } = toConnectionFailure(call, failed("CERT_HAS_EXPIRED", "certificate has expired"));
    expect(message).toBe(
      "PUT http://apps:8123/replicas failed: certificate has expired; renew the server's certificate",
    );
  });

  it("is known by the first of several addresses that all failed", () => {
    const all = new AggregateError([failed("ECONNREFUSED"), failed("EHOSTUNREACH")], "all failed");
    expect(toConnectionFailure(call, all)).toMatchObject({ mayHaveHappened: false });
  });

  it("comes through as it is where it is known already", () => {
    const failure = new HttpFailure("SCALER_CONFLICT", "changed");
    expect(toConnectionFailure(call, failure)).toBe(failure);
  });

  it("quotes others in one bounded line", () => {
    expect(quote(`a\r\n\u001b[31m b\u202e ${"x".repeat(500)}`)).toBe(`a [31m b ${"x".repeat(191)}…`);
  });
});
