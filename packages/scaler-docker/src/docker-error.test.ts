import { ScalerError } from "@dormouse/core";
import { expect, it } from "vitest";
import { inspectedContainer } from "../test/inspected-container.ts";
import { failureOf, toDockerError, toStartFailure } from "./docker-error.ts";

const side = { endpoint: "tcp://engine:2376", isCertificateOver: false };

it.each([
  ["EACCES", "SCALER_FORBIDDEN", /may not open/],
  ["ENOENT", "SCALER_UNAVAILABLE", /there is no socket/],
  ["ECONNREFUSED", "SCALER_UNAVAILABLE", /nobody listens/],
  ["ECONNRESET", "SCALER_UNAVAILABLE", /failed/],
  ["CERT_HAS_EXPIRED", "SCALER_FORBIDDEN", /has expired/],
  ["ERR_TLS_CERT_ALTNAME_INVALID", "SCALER_FORBIDDEN", /another name/],
])("translates %s", (code, expected, message) => {
  const error = toDockerError(Object.assign(new Error("failed"), { code }), "listing", side);
  expect(error).toMatchObject({ code: expected, message: expect.stringMatching(message) as string });
});

it("says what an engine's alert means for the client's certificate", () => {
  for (const alert of ["sslv3 alert certificate expired", "tlsv13 alert certificate required"]) {
    const error = toDockerError(new Error(`ssl3_read_bytes: ${alert}:SSL alert number 45`), "listing", side);
    expect(error).toMatchObject({
      code: "SCALER_FORBIDDEN",
      message: expect.stringMatching(/refuses the client certificate/) as string,
    });
  }
});

it.each([
  [404, "No such container: x", "SCALER_NOT_FOUND"],
  [404, "No such image: web:1", "SCALER_IMAGE_PULL"],
  [409, "The container name is already in use", "SCALER_CONFLICT"],
  [500, "no space left on device", "SCALER_UNSCHEDULABLE"],
  [500, "something else", "SCALER_INTERNAL"],
])("translates %i %s, in the engine's own words", (statusCode, message, code) => {
  const thrown = Object.assign(new Error(`(HTTP code ${String(statusCode)}) oh - ${message} `), {
    statusCode,
    json: { message },
  });
  expect(toDockerError(thrown, "starting", side)).toMatchObject({ code, message: `starting: ${message}` });
});

it("keeps what was translated already, and lets an abort through", () => {
  const known = new ScalerError("SCALER_TIMEOUT", "late");
  expect(toDockerError(known, "x", side)).toBe(known);
  const abort = new DOMException("gone", "AbortError");
  expect(toDockerError(abort, "x", side)).toBe(abort);
});

it("calls it a failure when a container has ended, and says how", () => {
  const State = { Status: "exited", ExitCode: 137, OOMKilled: true };
  expect(failureOf(inspectedContainer({ State }))).toEqual({
    code: "SCALER_START_FAILED",
    message: "container web ended with exit code 137, out of memory",
  });
});

it("takes a first restart for bad luck, and no health of an earlier run into account", () => {
  const State = { Status: "restarting", ExitCode: 1, Health: { Status: "unhealthy" } };
  expect(failureOf(inspectedContainer({ State, RestartCount: 1 }))).toBeUndefined();
  expect(failureOf(inspectedContainer({ State, RestartCount: 2 }))?.code).toBe("SCALER_CRASH_LOOP");
  expect(failureOf(inspectedContainer())).toBeUndefined();
});

it("bounds what it passes on", () => {
  const { message } = toStartFailure(new ScalerError("SCALER_INTERNAL", "x".repeat(10_000)));
  expect(message.length).toBeLessThan(600);
});
