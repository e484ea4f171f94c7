import { type ErrorCode, errorFacts, isErrorCode } from "./error-codes.ts";

const brand = Symbol.for("dormouse.dev/scaler-error");

/** What an error may carry besides its code and message. */
export interface ScalerErrorOptions {
  /** What the platform or library threw. */
  readonly cause?: unknown;
  /** Overrides the table where the platform says so itself. */
  readonly retryable?: boolean;
  /** How long to wait before a new try, in ms, where the platform says so. */
  readonly retryAfterMs?: number;
}

/** The one error that crosses package borders. Recognised by brand, so that two installed copies of core agree. */
export class ScalerError extends Error {
  override readonly name = "ScalerError";
  readonly [brand] = true;
  readonly code: ErrorCode;
  readonly retryable: boolean;
  declare readonly retryAfterMs?: number;

  constructor(code: ErrorCode, message: string, options: ScalerErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    const facts = errorFacts(code);
    this.code = code;
    this.retryable = options.retryable ?? facts.retryable;
    const retryAfterMs = options.retryAfterMs ?? facts.retryAfterMs;
    if (retryAfterMs !== undefined) this.retryAfterMs = retryAfterMs;
  }
}

/** Whether a value is a ScalerError of this or another installed copy of core. */
export function isScalerError(value: unknown): value is ScalerError {
  return value instanceof Error && Reflect.get(value, brand) === true && isErrorCode(Reflect.get(value, "code"));
}

/** The value itself where it is a ScalerError, else one with the given code and the value as its cause. */
export function toScalerError(value: unknown, code: ErrorCode = "SCALER_INTERNAL"): ScalerError {
  if (isScalerError(value)) return value;
  return new ScalerError(code, value instanceof Error ? value.message : String(value), { cause: value });
}
