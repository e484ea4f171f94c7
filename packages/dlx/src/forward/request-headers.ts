import type { IncomingMessage } from "node:http";
import type { RequestHead } from "../listen/read-head.ts";
import { isConnectionHeader, namedByConnection } from "./connection-headers.ts";
import { hopsHeader, lowerHopsHeader, readHops } from "./hops.ts";
import type { Peer } from "./peer.ts";

/** Lower-case names that we write ourselves, that we have answered (`Expect`), or whose promise we do not keep (`Trailer`). */
const ownHeaders: ReadonlySet<string> = new Set(["content-length", "expect", "host", lowerHopsHeader, "trailer"]);

/**
 * The headers that a target gets: those of the client in their order and spelling, without what belongs to the client's
 * connection or to the body's framing, then who it is forwarded for. Names and values in turn.
 * @param replaced headers that take the place of the client's (trace context): lower-case names
 */
export function toRequestHeaders(
  request: IncomingMessage,
  head: RequestHead,
  peer: Peer,
  replaced?: Readonly<Record<string, string>>,
): string[] {
  const { rawHeaders, headers } = request;
  const named = namedByConnection(headers.connection);
  const lines: string[] = head.authority === undefined ? [] : ["Host", head.authority];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    const lower = name.toLowerCase();
    if (isConnectionHeader(lower) || ownHeaders.has(lower) || isForwarding(lower)) continue;
    if (named?.has(lower) === true || (replaced !== undefined && lower in replaced)) continue;
    lines.push(name, rawHeaders[index + 1] as string);
  }
  if (replaced !== undefined) for (const [name, value] of Object.entries(replaced)) lines.push(name, value);
  addForwarding(lines, request, head.authority, peer);
  lines.push(hopsHeader, String(readHops(headers[lowerHopsHeader]) + 1));
  return lines;
}

/** The family that says whom a request is forwarded for; an untrusted peer's is dropped whole. */
function isForwarding(name: string): boolean {
  return name === "forwarded" || name.startsWith("x-forwarded-") || name === "x-real-ip";
}

function addForwarding(lines: string[], request: IncomingMessage, authority: string | undefined, peer: Peer): void {
  const host = authority === undefined ? "" : `;host="${authority}"`;
  const forwarded = `${peer.forwardedFor}${host};proto=http`;
  if (peer.isTrusted) return extendForwarding(lines, request, authority, peer, forwarded);
  lines.push("X-Forwarded-For", peer.address, "X-Forwarded-Proto", "http", "X-Forwarded-Port", peer.port);
  if (authority !== undefined) lines.push("X-Forwarded-Host", authority);
  lines.push("Forwarded", forwarded);
}

/** A trusted peer's own lines stay as they are; what it says nothing of is filled in, and lists get one more member. */
function extendForwarding(
  lines: string[],
  { headers, rawHeaders }: IncomingMessage,
  authority: string | undefined,
  peer: Peer,
  forwarded: string,
): void {
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    const lower = name.toLowerCase();
    if (!isForwarding(lower) || lower === "forwarded" || lower === "x-forwarded-for") continue;
    lines.push(name, rawHeaders[index + 1] as string);
  }
  lines.push("X-Forwarded-For", joinList(headers["x-forwarded-for"], peer.address));
  if (headers["x-forwarded-proto"] === undefined) lines.push("X-Forwarded-Proto", "http");
  if (headers["x-forwarded-port"] === undefined) lines.push("X-Forwarded-Port", peer.port);
  if (headers["x-forwarded-host"] === undefined && authority !== undefined) lines.push("X-Forwarded-Host", authority);
  lines.push("Forwarded", joinList(headers.forwarded, forwarded));
}

function joinList(list: string | readonly string[] | undefined, member: string): string {
  if (list === undefined || list.length === 0) return member;
  return `${typeof list === "string" ? list : list.join(", ")}, ${member}`;
}
