import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { RawHeaders } from "../forward/forwarder.ts";
import { toResponseHead, toText } from "../forward/response-headers.ts";
import type { ColdStart } from "../gate/passage.ts";
import type { Answer } from "../respond/answer.ts";
import { coldStartHeader, toServerTiming } from "../respond/server-timing.ts";
import type { ClientResponse } from "./client-response.ts";

export interface TargetHead {
  readonly status: number;
  readonly reason: string;
  readonly headers: RawHeaders;
}

/** What the rest of an answer depends on. */
export interface RelayedHead {
  /** Bytes of the body still to come where that is known and there are any. */
  readonly length: number | undefined;
  readonly isStream: boolean;
  /** The client can tell a whole body from a cut one. */
  readonly isFramed: boolean;
}

/** Writes the head of a target's response to the client, with what we add to it. */
export function relayHead(
  request: IncomingMessage,
  response: ClientResponse,
  { status, reason, headers }: TargetHead,
  cold: ColdStart | undefined,
  close: boolean,
): RelayedHead {
  const hasBody = request.method !== "HEAD" && status !== 204 && status !== 304;
  const canChunk = hasBody && request.httpVersionMinor === 1;
  const { lines, length, isStream } = toResponseHead(headers, canChunk);
  lines.push(coldStartHeader, cold?.woken === true ? "true" : "false");
  if (cold !== undefined) lines.push("Server-Timing", toServerTiming(cold));
  if (close) lines.push("Connection", "close");
  response.writeHead(status, reason, lines);
  const isFramed = canChunk || length !== undefined || !hasBody;
  return { length: hasBody ? length : undefined, isStream, isFramed };
}

/**
 * Passes on an interim response. Node sends 102 and 103 (the latter with at least one Link); the other ones, which no
 * client waits for, end here.
 */
export function relayInterim(response: ClientResponse, status: number, headers: RawHeaders): void {
  if (response.headersSent) return;
  if (status === 102) response.writeProcessing();
  if (status !== 103) return;
  const links: string[] = [];
  const hints: Record<string, string | string[]> = { link: links };
  for (let index = 0; index < headers.length; index += 2) {
    const name = toText(headers[index]).toLowerCase();
    const value = toText(headers[index + 1]);
    if (name === "link") links.push(value);
    else hints[name] = value;
  }
  if (links.length > 0) writeHints(response, hints);
}

/** A hint is no more than a hint: one that Node does not take is left out. */
function writeHints(response: ClientResponse, hints: Record<string, string | string[]>): void {
  try {
    response.writeEarlyHints(hints);
  } catch {
    // ERR_INVALID_ARG_VALUE: a Link that is not of the form of RFC 8288.
  }
}

/** Writes an answer of our own. */
export function answerWhole(response: ClientResponse, { status, headers, body }: Answer, close: boolean): void {
  const lines = [...headers];
  if (status !== 204 && status !== 304) lines.push("Content-Length", String(Buffer.byteLength(body)));
  if (close) lines.push("Connection", "close");
  // With its words: those of a target whose head was refused half-way would stand there still.
  response.writeHead(status, STATUS_CODES[status] ?? "", lines);
  response.end(body);
}
