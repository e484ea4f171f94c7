import type { IncomingMessage } from "node:http";

/**
 * Whether a request that asks for another protocol is to leave HTTP. `h2c` is not, and nobody gets an upgrade over
 * HTTP/1.0 (RFC 9110 §7.8): such a request is answered as if it had not asked. CONNECT always is, to be refused.
 */
export function shouldUpgrade(request: IncomingMessage): boolean {
  if (request.method === "CONNECT") return true;
  if (request.httpVersionMajor !== 1 || request.httpVersionMinor !== 1) return false;
  const protocols = (request.headers.upgrade ?? "").toLowerCase().split(",");
  return protocols.some((protocol) => protocol.trim() !== "" && protocol.trim() !== "h2c");
}
