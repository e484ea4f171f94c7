import type { Socket } from "node:net";
import type { Networks } from "./networks.ts";

const mappedPrefix = "::ffff:";

/** Who is at the other end of a client's connection. The same for all its requests. */
export interface Peer {
  /** IP address; IPv4 also where it came as IPv6. */
  readonly address: string;
  /** Its `X-Forwarded-*` and `Forwarded` are believed. */
  readonly isTrusted: boolean;
  /** `for=` of the `Forwarded` header (RFC 7239 §6). */
  readonly forwardedFor: string;
  /** Our own port that it connected to. */
  readonly port: string;
}

export function toPeer(socket: Socket, trusted: Networks): Peer {
  const raw = socket.remoteAddress ?? "";
  const address = raw.startsWith(mappedPrefix) && raw.includes(".") ? raw.slice(mappedPrefix.length) : raw;
  const node = address === "" ? "unknown" : address.includes(":") ? `"[${address}]"` : address;
  return {
    address,
    isTrusted: trusted.has(address),
    forwardedFor: `for=${node}`,
    port: String(socket.localPort ?? ""),
  };
}

/** The nearest client that is no trusted proxy: the peer itself, or whom trusted ones say they forward for. */
export function clientAddress(peer: Peer, forwardedFor: string | undefined, trusted: Networks): string {
  if (!peer.isTrusted || forwardedFor === undefined) return peer.address;
  const hops = forwardedFor.split(",").map((hop) => hop.trim());
  return hops.findLast((hop) => !trusted.has(hop)) ?? hops[0] ?? peer.address;
}
