/** Lower-case names of headers that belong to one connection and never pass (RFC 9110 §7.6.1, and old habits). */
const connectionHeaders: ReadonlySet<string> = new Set([
  "connection",
  "http2-settings",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
]);

/** Whether a header belongs to one connection, whatever its message says. @param name lower case */
export function isConnectionHeader(name: string): boolean {
  return connectionHeaders.has(name);
}

/** Lower-case names that a Connection header adds for its own message; undefined where it adds none. */
export function namedByConnection(connection: string | undefined): ReadonlySet<string> | undefined {
  if (connection === undefined || connection === "keep-alive" || connection === "close") return undefined;
  return new Set(connection.split(",").map((name) => name.trim().toLowerCase()));
}
