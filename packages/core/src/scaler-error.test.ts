import { describe, expect, it } from "vitest";
import { errorFacts, errorTable, isErrorCode } from "./error-codes.ts";
import { isScalerError, ScalerError, toScalerError } from "./scaler-error.ts";

describe("the error table", () => {
  it.each(Object.entries(errorTable))("%s is whole", (code, facts) => {
    expect(code).toMatch(/^(SCALER|PLUGIN|CONFIG|DLX)(_[A-Z]+)+$/);
    expect(facts.status).toBeGreaterThanOrEqual(400);
    expect(facts.status).toBeLessThanOrEqual(599);
    expect(facts.detail).toMatch(/^[A-Z].*\.$/);
    expect(facts).toBe(errorFacts(code as keyof typeof errorTable));
  });

  // What a caller gets to read is fixed: nothing in it may be filled in later.
  it("has details that say nothing of addresses or platforms", () => {
    for (const { detail } of Object.values(errorTable)) expect(detail).not.toMatch(/[{}$%<>]|\d/);
  });

  it("knows its codes and no inherited ones", () => {
    expect(isErrorCode("SCALER_CONFLICT")).toBe(true);
    for (const text of ["SCALER_NOPE", "toString", "__proto__", "", undefined, 1])
      expect(isErrorCode(text)).toBe(false);
  });
});

describe("ScalerError", () => {
  it("takes what the table says of its code", () => {
    expect(new ScalerError("SCALER_QUOTA", "none left")).toMatchObject({
      code: "SCALER_QUOTA",
      retryable: true,
      retryAfterMs: 60_000,
      message: "none left",
    });
    expect(new ScalerError("SCALER_CONFLICT", "moved")).not.toHaveProperty("retryAfterMs");
  });

  it("takes what the platform says instead", () => {
    const cause = new Error("429");
    const error = new ScalerError("SCALER_RATE_LIMITED", "slow down", { cause, retryable: false, retryAfterMs: 7_000 });
    expect(error).toMatchObject({ retryable: false, retryAfterMs: 7_000, cause });
  });

  it("has no cause where none is given", () => {
    expect(Object.hasOwn(new ScalerError("SCALER_CONFLICT", "moved"), "cause")).toBe(false);
  });
});

describe("isScalerError", () => {
  it("knows one of another installed copy by its brand", () => {
    const error = Object.assign(new Error("late"), {
      [Symbol.for("dormouse.dev/scaler-error")]: true,
      code: "SCALER_TIMEOUT",
    });
    expect(isScalerError(error)).toBe(true);
  });

  it.each([new Error("plain"), { code: "SCALER_TIMEOUT" }, undefined, "SCALER_TIMEOUT"])(
    "does not take %j for one",
    (value) => {
      expect(isScalerError(value)).toBe(false);
    },
  );

  it("does not take one whose code this copy does not know", () => {
    const error = Object.assign(new Error("new"), {
      [Symbol.for("dormouse.dev/scaler-error")]: true,
      code: "SCALER_FROM_THE_FUTURE",
    });
    expect(isScalerError(error)).toBe(false);
  });
});

describe("toScalerError", () => {
  it("keeps one, and wraps anything else with its cause", () => {
    const own = new ScalerError("SCALER_CONFLICT", "moved");
    expect(toScalerError(own)).toBe(own);
    const cause = new TypeError("x is undefined");
    expect(toScalerError(cause)).toMatchObject({ code: "SCALER_INTERNAL", message: "x is undefined", cause });
    expect(toScalerError("text", "SCALER_UNAVAILABLE")).toMatchObject({
      code: "SCALER_UNAVAILABLE",
      message: "text",
      cause: "text",
    });
  });
});
