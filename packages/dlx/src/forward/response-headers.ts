import { isConnectionHeader, namedByConnection } from "./connection-headers.ts";
import type { RawHeaders } from "./forwarder.ts";

/** The part of a response's head that its relaying depends on. */
export interface ResponseHead {
  /** Names and values in turn, in the target's order and spelling, without what belongs to its connection. */
  readonly lines: string[];
  /** Bytes of the body where the target said so. */
  readonly length: number | undefined;
  /** An open stream: server-sent events or gRPC. */
  readonly isStream: boolean;
}

/** @param keepsTrailer the response goes on in chunks, so that it may announce trailers */
export function toResponseHead(headers: RawHeaders, keepsTrailer: boolean): ResponseHead {
  const lines: string[] = [];
  let length: number | undefined;
  let isStream = false;
  let connection: string | undefined;
  let hasTrailer = false;
  for (let index = 0; index < headers.length; index += 2) {
    const name = toText(headers[index]);
    const value = toText(headers[index + 1]);
    const lower = name.toLowerCase();
    if (lower === "connection") connection = connection === undefined ? value : `${connection}, ${value}`;
    if (isConnectionHeader(lower) || (lower === "trailer" && !keepsTrailer)) continue;
    if (lower === "content-length") length = Number(value);
    else if (lower === "trailer") hasTrailer = true;
    else if (lower === "content-type") isStream = isStreamType(value);
    lines.push(name, value);
  }
  let named = namedByConnection(connection);
  // Node refuses to announce trailers behind a body of known length.
  if (hasTrailer && length !== undefined) named = new Set(named).add("trailer");
  return { lines: named === undefined ? lines : withoutNamed(lines, named), length, isStream };
}

/** Trailers as pairs, for Node. */
export function toTrailers(trailers: RawHeaders): readonly [string, string][] {
  const pairs: [string, string][] = [];
  for (let index = 0; index < trailers.length; index += 2) {
    pairs.push([toText(trailers[index]), toText(trailers[index + 1])]);
  }
  return pairs;
}

/** Header lines are bytes; latin1 keeps each of them. */
export function toText(line: string | Buffer | undefined): string {
  if (line === undefined) return "";
  return typeof line === "string" ? line : line.toString("latin1");
}

function withoutNamed(lines: readonly string[], named: ReadonlySet<string>): string[] {
  return lines.filter((_line, index) => !named.has((lines[index - (index % 2)] ?? "").toLowerCase()));
}

function isStreamType(type: string): boolean {
  const lower = type.toLowerCase();
  return lower.startsWith("text/event-stream") || lower.startsWith("application/grpc");
}
