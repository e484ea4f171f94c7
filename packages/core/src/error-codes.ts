/** What each code means to a caller. One closed table: a code is added here or it does not exist. */
export interface ErrorFacts {
  /** Whether the same call may succeed later with nothing changed by the caller. */
  readonly retryable: boolean;
  /** Status that the DLX answers with when this code ends a request. */
  readonly status: number;
  /** Fixed text for callers; platform messages and addresses never stand here. */
  readonly detail: string;
  /** How long a caller should wait where nothing better is known, in ms. */
  readonly retryAfterMs?: number;
}

/** Every code and what it means; docs/errors.md says what to do about each. */
export const errorTable = {
  SCALER_ABORTED: { retryable: true, status: 503, detail: "The call was given up." },
  SCALER_BAD_ARGUMENT: { retryable: false, status: 500, detail: "A call had an argument outside the contract." },
  SCALER_BAD_OPTIONS: { retryable: false, status: 500, detail: "The scaler's options are not usable." },
  SCALER_CONFLICT: { retryable: true, status: 503, detail: "The resource changed meanwhile." },
  SCALER_CRASH_LOOP: {
    retryable: true,
    status: 503,
    detail: "The service starts and ends again.",
    retryAfterMs: 10_000,
  },
  SCALER_DISPOSED: { retryable: false, status: 503, detail: "The scaler has been closed." },
  SCALER_FORBIDDEN: {
    retryable: false,
    status: 503,
    detail: "The platform refused the credentials.",
    retryAfterMs: 30_000,
  },
  SCALER_IMAGE_PULL: {
    retryable: true,
    status: 503,
    detail: "The service's image could not be had.",
    retryAfterMs: 30_000,
  },
  SCALER_INTERNAL: { retryable: false, status: 503, detail: "The scaler failed.", retryAfterMs: 10_000 },
  SCALER_NOT_FOUND: { retryable: false, status: 503, detail: "The resource is gone.", retryAfterMs: 10_000 },
  SCALER_QUOTA: { retryable: true, status: 503, detail: "The platform has no quota left.", retryAfterMs: 60_000 },
  SCALER_RATE_LIMITED: {
    retryable: true,
    status: 503,
    detail: "The platform limits the rate of calls.",
    retryAfterMs: 5_000,
  },
  SCALER_START_FAILED: { retryable: true, status: 503, detail: "The service did not start.", retryAfterMs: 5_000 },
  SCALER_TIMEOUT: { retryable: true, status: 503, detail: "The platform did not answer in time.", retryAfterMs: 5_000 },
  SCALER_UNAVAILABLE: {
    retryable: true,
    status: 503,
    detail: "The platform could not be reached.",
    retryAfterMs: 5_000,
  },
  SCALER_UNSCHEDULABLE: {
    retryable: true,
    status: 503,
    detail: "The platform has no room for the service.",
    retryAfterMs: 30_000,
  },
  SCALER_UNSUPPORTED: { retryable: false, status: 503, detail: "The scaler cannot do this." },
  PLUGIN_NOT_FOUND: { retryable: false, status: 500, detail: "A plugin could not be found." },
  PLUGIN_INVALID: { retryable: false, status: 500, detail: "A plugin is not of the contract's form." },
  PLUGIN_CONTRACT: { retryable: false, status: 500, detail: "A plugin is of another contract version." },
  CONFIG_INVALID: { retryable: false, status: 500, detail: "The configuration is not usable." },
  DLX_BAD_REQUEST: { retryable: false, status: 400, detail: "The request is malformed or ambiguous." },
  DLX_CLIENT_GONE: { retryable: false, status: 499, detail: "The client went away." },
  DLX_HOLD_FULL: { retryable: true, status: 503, detail: "Too many requests wait for this service already." },
  DLX_LOOP: { retryable: false, status: 508, detail: "The request passed here before." },
  DLX_NO_ROUTE: { retryable: false, status: 404, detail: "No service answers at this address." },
  DLX_OVERLOADED: {
    retryable: true,
    status: 503,
    detail: "The proxy has too many requests open.",
    retryAfterMs: 1_000,
  },
  DLX_STARTING: {
    retryable: true,
    status: 503,
    detail: "The proxy has just started and does not know all services yet.",
    retryAfterMs: 2_000,
  },
  DLX_STOPPING: { retryable: true, status: 503, detail: "The proxy is stopping.", retryAfterMs: 1_000 },
  DLX_TARGET_TIMEOUT: { retryable: false, status: 504, detail: "The service did not answer in time." },
  DLX_TARGET_UNREACHABLE: { retryable: true, status: 502, detail: "The service could not be reached." },
  DLX_WAKE_TIMEOUT: { retryable: true, status: 504, detail: "The service did not wake in time." },
} as const satisfies Record<string, ErrorFacts>;

/** Every code that an error of Dormouse can have. Codes are stable; messages are not. */
export type ErrorCode = keyof typeof errorTable;

/** Whether the text is one of the table's codes. */
export function isErrorCode(text: unknown): text is ErrorCode {
  return typeof text === "string" && Object.hasOwn(errorTable, text);
}

/** What the table says of a code. */
export function errorFacts(code: ErrorCode): ErrorFacts {
  return errorTable[code];
}
