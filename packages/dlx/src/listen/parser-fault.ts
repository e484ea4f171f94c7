/** How a connection is answered whose bytes are no HTTP, or come too slowly. */
export interface ParserFault {
  readonly status: 400 | 408 | 431;
  /** The parser's own words, for logs. */
  readonly reason: string;
}

/** Node's error for a connection, as an answer. Undefined: the connection itself failed and nobody is left to answer. */
export function toParserFault(error: Error): ParserFault | undefined {
  const code: unknown = Reflect.get(error, "code");
  if (code === "HPE_HEADER_OVERFLOW") return { status: 431, reason: error.message };
  if (code === "HPE_CHUNK_EXTENSIONS_OVERFLOW") return { status: 400, reason: error.message };
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return { status: 408, reason: error.message };
  return typeof code === "string" && code.startsWith("HPE_") ? { status: 400, reason: error.message } : undefined;
}
