/** How a connection is answered whose bytes are no HTTP, or come too slowly. */
export interface ParserFault {
  readonly status: 400 | 408 | 431;
  /** The parser's own words, for logs. */
  readonly reason: string;
  /** The client ended the connection in the middle of a request. */
  readonly isEnd: boolean;
}

/** Node's error for a connection, as an answer. Undefined: the connection itself failed and nobody is left to answer. */
export function toParserFault(error: Error): ParserFault | undefined {
  const code: unknown = Reflect.get(error, "code");
  const reason = error.message;
  if (code === "HPE_HEADER_OVERFLOW") return { status: 431, reason, isEnd: false };
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return { status: 408, reason, isEnd: false };
  if (typeof code !== "string" || !code.startsWith("HPE_")) return undefined;
  return { status: 400, reason, isEnd: code === "HPE_INVALID_EOF_STATE" };
}
