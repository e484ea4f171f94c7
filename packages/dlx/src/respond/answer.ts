import { STATUS_CODES } from "node:http";

/** A whole answer of our own. */
export interface Answer {
  readonly status: number;
  /** Names and values in turn, without the body's length. */
  readonly headers: readonly string[];
  readonly body: string;
}

/**
 * The bytes of an answer where Node has no response object: after an upgrade was asked for, or where no request was
 * understood. The connection closes after it.
 */
export function toBytes({ status, headers, body }: Answer): string {
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`];
  for (let index = 0; index < headers.length; index += 2) lines.push(`${headers[index]}: ${headers[index + 1]}`);
  lines.push(`Content-Length: ${Buffer.byteLength(body)}`, "Connection: close", "", body);
  return lines.join("\r\n");
}
