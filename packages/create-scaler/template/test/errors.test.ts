import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import {
  defaultPolicy,
  isScalerError,
  type ResourceScaler,
  type ScalerError,
  silentLogger,
  systemClock,
} from "@dormouse/core";
import { scaler as plugin } from "../src/index.ts";
import { ExamplePlatform } from "../stand-in/example-platform.ts";

const ref = { namespace: "default", name: "web" };
const context = { id: "example", logger: silentLogger, clock: systemClock, defaults: defaultPolicy };

// What the kit cannot see from outside: that each of the platform's errors gets its code.
describe("what the platform refuses", () => {
  let platform: ExamplePlatform;
  let scaler: ResourceScaler;

  beforeEach(async () => {
    platform = new ExamplePlatform({ token: "secret" });
    platform.add("web");
    await platform.listen();
    scaler = await plugin.create({ url: platform.url, token: "secret" }, context);
  });

  afterEach(async () => {
    await scaler[Symbol.asyncDispose]();
    await platform[Symbol.asyncDispose]();
  });

  for (const [status, code, retryable] of [
    [401, "SCALER_FORBIDDEN", false],
    [403, "SCALER_FORBIDDEN", false],
    [409, "SCALER_CONFLICT", true],
    [500, "SCALER_UNAVAILABLE", true],
    [503, "SCALER_UNAVAILABLE", true],
    [504, "SCALER_TIMEOUT", true],
    [507, "SCALER_QUOTA", true],
    [418, "SCALER_INTERNAL", false],
  ] as const) {
    it(`${status} is ${code}`, async () => {
      platform.refusal = { status };
      const error = await rejectionOf(scaler.setScale(ref, 1));
      assert.deepEqual({ code: error.code, retryable: error.retryable }, { code, retryable });
    });
  }

  it("429 says how long to wait", async () => {
    platform.refusal = { status: 429, headers: { "retry-after": "7" } };
    const { code, retryAfterMs } = await rejectionOf(scaler.listResources());
    assert.deepEqual({ code, retryAfterMs }, { code: "SCALER_RATE_LIMITED", retryAfterMs: 7_000 });
  });

  it("a wrong token is SCALER_FORBIDDEN", async () => {
    const stranger = await plugin.create({ url: platform.url, token: "guessed" }, context);
    assert.equal((await rejectionOf(stranger.listResources())).code, "SCALER_FORBIDDEN");
  });

  it("a service whose labels are wrong is listed with the reason, beside the others", async () => {
    platform.add("odd", { "dormouse.dev/idle-after": "soon" });
    const resources = await scaler.listResources();
    const [web, odd] = ["web", "odd"].map((name) => resources.find((resource) => resource.ref.name === name));
    assert.equal(web?.refusal, undefined);
    assert.match(odd?.refusal?.message ?? "", /odd: dormouse\.dev\/idle-after/);
    assert.equal(odd?.policy.enabled, false);
  });
});

async function rejectionOf(call: Promise<unknown>): Promise<ScalerError> {
  const error: unknown = await call.then(
    () => new Error("it resolved"),
    (error: unknown) => error,
  );
  if (!isScalerError(error)) throw error;
  return error;
}
