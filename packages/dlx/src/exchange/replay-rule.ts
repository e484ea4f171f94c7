import type { ForwardFailure } from "../forward/forwarder.ts";

/** Methods whose second execution changes nothing more than the first (RFC 9110 §9.2.2). */
const idempotent: ReadonlySet<string> = new Set(["DELETE", "GET", "HEAD", "OPTIONS", "PUT", "TRACE"]);

/** No request goes round for ever, however often targets answer a dial and then refuse it. */
const mostAttempts = 8;

/** What is known of a request after an attempt failed. */
export interface Attempts {
  readonly method: string;
  /** Attempts so far. */
  readonly made: number;
  /** Attempts after which bytes of the request may have been with a target. */
  readonly written: number;
  /** A byte of a response has come, from whichever target. */
  readonly hasReplied: boolean;
  /** The request has no body, or all of it that was read is kept. */
  readonly isBodyKept: boolean;
}

/** `other`: on another target; `same`: on the same one by a fresh connection, since the old one had been idle; `none`: the caller is told. */
export type Replay = "other" | "same" | "none";

/**
 * Whether a failed request may be sent again: always while not one byte of it was written to any target; or once, if its
 * method is idempotent, its body is kept and no byte of a response came. A POST whose head was written never is.
 */
export function decideReplay(failure: ForwardFailure, attempts: Attempts): Replay {
  if (failure.kind === "unsendable" || failure.kind === "garbage") return "none";
  if (attempts.hasReplied || attempts.made >= mostAttempts) return "none";
  if (attempts.written === 0) return "other";
  if (!idempotent.has(attempts.method) || !attempts.isBodyKept || attempts.written > 1) return "none";
  return failure.kind === "broken" && failure.stale ? "same" : "other";
}
