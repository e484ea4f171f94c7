import { type ErrorCode, isErrorCode, type Milliseconds } from "@dormouse/core";
import { describeEcho, type EchoPlace, textAt } from "./echo.ts";
import { headerOf, type Reply, type ReplyHeaders, type WholeReply } from "./reply.ts";
import { idsIn } from "./request-id.ts";

/** What the DLX writes on every answer that it forwards. */
const coldStartHeader = "x-dormouse-cold-start";

/** An error of Dormouse's own, as its callers read it. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly status: number;
  /** Printed ref. */
  readonly resource?: string;
}

/** The one end of one request. */
export type Outcome =
  /** By the service, with this very id. */
  | {
      readonly kind: "answered";
      readonly status: number;
      /** It waited for a wake. */
      readonly isCold: boolean;
      /** What it waited for, in ms, by `Server-Timing`. */
      readonly phases: Readonly<Record<string, Milliseconds>>;
    }
  /** By Dormouse, with a code. */
  | ({ readonly kind: "refused" } & Refusal)
  /** The answer to another request. */
  | { readonly kind: "swapped"; readonly what: string }
  /** Neither: a broken connection, silence, an answer that nobody should get. */
  | { readonly kind: "lost"; readonly what: string }
  /** Given up by this side, because the run was ended. */
  | { readonly kind: "abandoned" };

/** Whether a service's answer was forwarded by a DLX. */
export function isForwarded(headers: ReplyHeaders): boolean {
  return /^(true|false)$/.test(headerOf(headers, coldStartHeader));
}

/** What became of the request with this id. Pure. */
export function judgeReply(id: string, reply: Reply, echo: EchoPlace): Outcome {
  if (reply.kind === "broken") return { kind: "lost", what: reply.what };
  if (isForwarded(reply.headers)) return judgeForwarded(id, reply, echo);
  const refusal = refusalOf(reply);
  if (refusal !== undefined) return { kind: "refused", ...refusal };
  return { kind: "lost", what: `status ${reply.status}, neither by the service nor a refusal of Dormouse` };
}

function judgeForwarded(id: string, reply: WholeReply, echo: EchoPlace): Outcome {
  const { status, headers } = reply;
  const found = idsIn(textAt(echo, reply));
  const others = [...found].filter((other) => other !== id);
  const place = describeEcho(echo);
  if (others.length > 0) return { kind: "swapped", what: `status ${status}, and ${place} has ${others.join(", ")}` };
  if (found.size === 0 && echo.kind !== "none")
    return { kind: "lost", what: `status ${status}, and ${place} has no id` };
  const isCold = headerOf(headers, coldStartHeader) === "true";
  return { kind: "answered", status, isCold, phases: isCold ? phasesOf(headerOf(headers, "server-timing")) : {} };
}

/** The refusal that an answer is; undefined where it is none of Dormouse's. */
export function refusalOf({ status, headers, text }: WholeReply): Refusal | undefined {
  if (!headerOf(headers, "content-type").startsWith("application/problem+json")) return undefined;
  const { code, resource } = parseObject(text);
  if (typeof code !== "string" || !isErrorCode(code)) return undefined;
  return { code, status, ...(typeof resource === "string" && { resource }) };
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  } catch {
    return {};
  }
}

/** `wake-start;dur=400.1, held;dur=412` as numbers; what the service adds of its own is left out. */
function phasesOf(serverTiming: string): Readonly<Record<string, Milliseconds>> {
  const metrics = serverTiming
    .split(",")
    .map((metric) => /^(?:wake-([\w-]+)|(held));dur=([\d.]+)$/.exec(metric.trim()));
  return Object.fromEntries(
    metrics.filter((found) => found !== null).map(([, phase, held = "", ms]) => [phase ?? held, Number(ms)]),
  );
}
