import {
  type ErrorCode,
  type LocalRef,
  type Milliseconds,
  type ResourceFailure,
  isScalerError,
  ScalerError,
} from "@dormouse/core";

/*
 * The one file that turns what Azure says into codes of the table. It goes by Azure's own code, since the HTTP status of
 * quota and capacity errors differs from case to case.
 */

/** An answer of the resource manager that is no success. */
export interface ArmAnswer {
  readonly status: number;
  readonly body: string | undefined;
  /** Header by name, in any case. */
  readonly header: (name: string) => string | undefined;
}

/** What the resource manager says in the body of an error, or of a failed operation. */
export interface ArmProblem {
  readonly code: string;
  readonly message: string;
}

/** Longest text of the platform that is passed on. */
const longestMessage = 500;

/** By Azure's code, in lower case. */
const codes: Readonly<Record<string, ErrorCode>> = {
  containergrouptransitioning: "SCALER_CONFLICT",
  containergroupquotareached: "SCALER_QUOTA",
  quotaexceeded: "SCALER_QUOTA",
  subscriptionrequeststhrottled: "SCALER_RATE_LIMITED",
  toomanyrequests: "SCALER_RATE_LIMITED",
  inaccessibleimage: "SCALER_IMAGE_PULL",
  registryerrorresponse: "SCALER_IMAGE_PULL",
  imageosversionmismatch: "SCALER_IMAGE_PULL",
  osversionnotsupported: "SCALER_START_FAILED",
  resourcenotfound: "SCALER_NOT_FOUND",
  resourcegroupnotfound: "SCALER_NOT_FOUND",
  subscriptionnotfound: "SCALER_NOT_FOUND",
  authorizationfailed: "SCALER_FORBIDDEN",
  linkedauthorizationfailed: "SCALER_FORBIDDEN",
  invalidauthenticationtoken: "SCALER_FORBIDDEN",
  invalidauthenticationtokentenant: "SCALER_FORBIDDEN",
  expiredauthenticationtoken: "SCALER_FORBIDDEN",
  missingsubscriptionregistration: "SCALER_FORBIDDEN",
};

/** Codes that a region without room answers with; in answers to a mere request they mean an outage. */
const capacityCodes: readonly string[] = [
  "serviceunavailable",
  "requesttimeout",
  "skunotavailable",
  "insufficientcapacity",
];

const capacityMessage = /is not available in the location|not enough capacity|insufficient capacity/i;
const quotaMessage = /quota .*(exceeded|reached)/i;
const imageMessage = /failed to pull image|image .*(not found|inaccessible|could not be)|pull access denied/i;

/** By HTTP status, where the code says nothing. */
const statusCodes: Readonly<Record<number, ErrorCode>> = {
  401: "SCALER_FORBIDDEN",
  403: "SCALER_FORBIDDEN",
  404: "SCALER_NOT_FOUND",
  408: "SCALER_TIMEOUT",
  409: "SCALER_CONFLICT",
  412: "SCALER_CONFLICT",
  429: "SCALER_RATE_LIMITED",
  504: "SCALER_TIMEOUT",
};

/** Why a start cannot succeed: waiting for the next look at the platform would change nothing. */
const startFailures: readonly ErrorCode[] = [
  "SCALER_QUOTA",
  "SCALER_UNSCHEDULABLE",
  "SCALER_IMAGE_PULL",
  "SCALER_START_FAILED",
];

/** Codes of readings that did not come about, for reasons of whoever read. */
const passing: readonly ErrorCode[] = ["SCALER_ABORTED", "SCALER_DISPOSED", "SCALER_RATE_LIMITED", "SCALER_TIMEOUT"];

/** An answer of the resource manager that is no success, in its own words. @param what was asked, for messages */
export function toAnswerError(answer: ArmAnswer, what: string, now: number): ScalerError {
  const problem = problemIn(answer.body);
  const code = codeOfAnswer(answer.status, problem);
  const retryAfterMs = code === "SCALER_RATE_LIMITED" ? retryAfter(answer, now) : undefined;
  const said = problem === undefined ? `HTTP ${answer.status}` : `${problem.code}: ${problem.message}`;
  return new ScalerError(code, shorten(`${what}: ${said}${mendOf(problem?.code)}`), {
    cause: { status: answer.status, code: problem?.code },
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    // The host repeats what is retryable within one wake; a start that Azure has refused for good ends it with the reason.
    ...(startFailures.includes(code) && { retryable: false }),
  });
}

/** How long the resource manager asks to wait, in ms; undefined where it does not say. */
function retryAfter({ header }: Pick<ArmAnswer, "header">, now: number): Milliseconds | undefined {
  const text = header("retry-after");
  if (text === undefined) return undefined;
  const ms = /^\d+(\.\d+)?$/.test(text.trim()) ? Number(text) * 1_000 : Date.parse(text) - now;
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), 3_600_000) : undefined;
}

/** Whether the group was still in transition, so that the same request may be taken a little later. */
export function isTransitioning(error: unknown): boolean {
  return isScalerError(error) && error.code === "SCALER_CONFLICT";
}

/** The failure that a refused start leaves on its resource; undefined where the start may still be taken. */
export function toRefusedStart(error: unknown): ResourceFailure | undefined {
  if (!isScalerError(error) || !startFailures.includes(error.code)) return undefined;
  return { code: error.code, message: error.message };
}

/** Why a start that was accepted came to nothing, as its operation says. */
export function toStartFailure(problem: ArmProblem): ResourceFailure {
  const code = codes[problem.code.toLowerCase()];
  return {
    code: code !== undefined && startFailures.includes(code) ? code : codeOfWords(problem),
    message: shorten(`${problem.code}: ${problem.message}`),
  };
}

/** What was thrown on the way: by the network, the SDK or whoever gives tokens. */
export function toCallError(error: unknown, what: string, signal: AbortSignal | undefined): ScalerError {
  if (isScalerError(error)) return error;
  if (signal?.aborted === true && isScalerError(signal.reason)) return signal.reason;
  if (signal?.aborted === true)
    return new ScalerError("SCALER_ABORTED", `${what} was given up`, { cause: signal.reason });
  const { code, text } = describe(error);
  return new ScalerError(code, shorten(`${what}: ${text}`), { cause: error });
}

/** `SCALER_RATE_LIMITED`: the request was not sent, for the client's own limit. */
export function toThrottledError(waitMs: Milliseconds): ScalerError {
  const message = `requests to the resource manager are limited; the next one may be sent in ${Math.ceil(waitMs)} ms`;
  return new ScalerError("SCALER_RATE_LIMITED", message, { retryAfterMs: waitMs });
}

/** The platform leads to a host that is not the configured one; nothing is sent there. */
export function toForeignHostError(host: string, expected: string): ScalerError {
  const message = `the platform leads to ${host}, and requests go to ${expected} alone: check armEndpoint`;
  return new ScalerError("SCALER_FORBIDDEN", message);
}

/** `SCALER_NOT_FOUND`, naming the resource. */
export function toNotFoundError({ namespace, name }: LocalRef): ScalerError {
  return new ScalerError("SCALER_NOT_FOUND", `no container group ${namespace}/${name} has the tag dormouse-enabled`);
}

/** `SCALER_BAD_ARGUMENT`, with the ports that there are. */
export function toNoPortError({ name }: LocalRef, port: string, known: readonly string[]): ScalerError {
  return new ScalerError("SCALER_BAD_ARGUMENT", `${name} has no port "${port}": it has ${known.join(", ")}`);
}

/** An answer that does not say what was asked. */
export function toUnreadableError(what: string, problem: string): ScalerError {
  return new ScalerError("SCALER_UNAVAILABLE", `${what}: the answer ${problem}`);
}

/** What a failed reading leaves on its resource; undefined where it says nothing about the resource. */
export function toReadFailure({ code, message }: ScalerError): ResourceFailure | undefined {
  return passing.includes(code) ? undefined : { code, message };
}

/** `SCALER_DISPOSED`. */
export function toDisposedError(): ScalerError {
  return new ScalerError("SCALER_DISPOSED", "the scaler has been closed");
}

/** A file of the options that cannot be read. */
export function toFileError(key: string, file: string, error: unknown): ScalerError {
  const said = error instanceof Error ? error.message : String(error);
  return new ScalerError("SCALER_BAD_OPTIONS", `${key}: ${file} cannot be read: ${said}`, { cause: error });
}

/** What the error body says; undefined where it has not the resource manager's form. */
function problemIn(body: string | undefined): ArmProblem | undefined {
  try {
    const parsed: unknown = JSON.parse(body ?? "");
    return toProblem(member(parsed, "error")) ?? toProblem(parsed);
  } catch {
    return undefined;
  }
}

/** `{ code, message }` with texts; undefined for anything else. The innermost detail is what happened. */
export function toProblem(value: unknown): ArmProblem | undefined {
  const [code, message, details] = [member(value, "code"), member(value, "message"), member(value, "details")];
  const inner: unknown = Array.isArray(details) ? details[0] : undefined;
  if (typeof code !== "string" || code === "") return undefined;
  const known = codes[code.toLowerCase()] !== undefined;
  return (known ? undefined : toProblem(inner)) ?? { code, message: typeof message === "string" ? message : "" };
}

/** Reasons of containers that will not go away by themselves, by what the group's own view says. */
export function toWaitingFailure(container: string, detail: string): ResourceFailure | undefined {
  if (/CrashLoopBackOff/i.test(detail)) return failure("SCALER_CRASH_LOOP", `container ${container}: ${detail}`);
  if (/ErrImage|ImagePull|InvalidImageName/i.test(detail))
    return failure("SCALER_IMAGE_PULL", `container ${container}: ${detail}`);
  return undefined;
}

/** Why a group that is wanted does not run, by the texts that it gives. */
export function toGroupFailure(text: string): ResourceFailure {
  return failure(codeOfWords({ code: "", message: text }), text);
}

function codeOfAnswer(status: number, problem: ArmProblem | undefined): ErrorCode {
  const known = problem === undefined ? undefined : codes[problem.code.toLowerCase()];
  if (known !== undefined) return known;
  if (problem !== undefined && status < 500) {
    const said = codeOfWords(problem);
    if (said !== "SCALER_START_FAILED") return said;
  }
  if (problem !== undefined && capacityMessage.test(problem.message)) return "SCALER_UNSCHEDULABLE";
  return statusCodes[status] ?? (status >= 500 ? "SCALER_UNAVAILABLE" : "SCALER_INTERNAL");
}

function codeOfWords({ code, message }: ArmProblem): ErrorCode {
  if (capacityCodes.includes(code.toLowerCase()) || capacityMessage.test(message)) return "SCALER_UNSCHEDULABLE";
  if (quotaMessage.test(message)) return "SCALER_QUOTA";
  return imageMessage.test(message) ? "SCALER_IMAGE_PULL" : "SCALER_START_FAILED";
}

const networkCodes = /^(E[A-Z]+|UND_ERR_.*|REQUEST_SEND_ERROR|PARSE_ERROR)$/;
const certificateCodes = /CERT|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|ERR_TLS|ERR_SSL/;

function describe(error: unknown): { readonly code: ErrorCode; readonly text: string } {
  const { name, message, systemCode, status } = detailsOf(error);
  if (/^(Aggregate)?AuthenticationError$|^AuthenticationRequiredError$|^CredentialUnavailableError$/.test(name)) {
    const isOutage =
      status >= 500 ||
      (status === 0 &&
        /ENOTFOUND|ECONN|ETIMEDOUT|EAI_AGAIN|network|server_error|temporarily_unavailable/i.test(message));
    if (certificateCodes.test(message)) return certificate(message);
    return isOutage
      ? { code: "SCALER_UNAVAILABLE", text: `no token could be had: ${message}` }
      : { code: "SCALER_FORBIDDEN", text: `the credentials were refused: ${message}; check identity` };
  }
  if (certificateCodes.test(systemCode)) return certificate(message);
  if (systemCode === "ETIMEDOUT") return { code: "SCALER_TIMEOUT", text: message };
  if (name === "AbortError") return { code: "SCALER_TIMEOUT", text: "the request was broken off" };
  if (networkCodes.test(systemCode)) return { code: "SCALER_UNAVAILABLE", text: message };
  return { code: status >= 200 && status < 300 ? "SCALER_UNAVAILABLE" : "SCALER_INTERNAL", text: message };
}

function certificate(message: string): { readonly code: ErrorCode; readonly text: string } {
  const mend = "check the clock of this machine, the endpoint's certificate, and caFile";
  return { code: "SCALER_UNAVAILABLE", text: `the certificate is not accepted: ${message}; ${mend}` };
}

function detailsOf(error: unknown): {
  readonly name: string;
  readonly message: string;
  readonly systemCode: string;
  readonly status: number;
} {
  const status = member(error, "statusCode");
  return {
    name: textOf(error, "name"),
    message: error instanceof Error ? error.message : String(error),
    systemCode: textOf(error, "code"),
    status: typeof status === "number" ? status : 0,
  };
}

/** What to do about what an operator can mend, by Azure's code. */
const mends: Readonly<Record<string, string>> = {
  authorizationfailed: " (give the identity the role of the package's README)",
  missingsubscriptionregistration: " (register Microsoft.ContainerInstance with the subscription)",
};

function mendOf(code: string | undefined): string {
  return mends[code?.toLowerCase() ?? ""] ?? "";
}

function textOf(error: unknown, name: string): string {
  const value = member(error, name);
  return typeof value === "string" ? value : "";
}

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

function failure(code: ErrorCode, message: string): ResourceFailure {
  return { code, message: shorten(message) };
}

function shorten(text: string): string {
  return text.length > longestMessage ? `${text.slice(0, longestMessage)}…` : text;
}
