/** A registered name, an IPv4 address or a bracketed IPv6 address, then an optional port (RFC 9112 §3.2, RFC 3986 §3.2.2). */
const authority = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]*)(?::\d{0,5})?$/;

/** Names end here (RFC 1035 §2.3.4), with room for brackets and a trailing dot. */
const longestName = 255;

/**
 * The name in a Host header or an authority: lower case, without port and without the dot that may end it.
 * Undefined where the text is no authority, for example `a b`, `user@host` or `host/path`.
 */
export function toHostName(text: string): string | undefined {
  const name = authority.exec(text)?.[1]?.toLowerCase();
  if (name === undefined || name.length > longestName) return undefined;
  return name.endsWith(".") ? name.slice(0, -1) : name;
}
