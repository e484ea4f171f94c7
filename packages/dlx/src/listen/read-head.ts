import type { IncomingMessage } from "node:http";
import { toHostName } from "../route/host-name.ts";

/** What a request's head says about where it goes and what follows it. */
export interface RequestHead {
  readonly kind: "head";
  /** The Host header, or the authority of an absolute-form request, which replaces it (RFC 9112 §3.2.2). */
  readonly authority: string | undefined;
  /** Path and query, beginning with `/`; `*` for the server-wide OPTIONS alone. */
  readonly path: string;
  /** A body follows, of whatever length. */
  readonly hasBody: boolean;
}

/** A head that may mean one thing here and another thing behind us. */
export interface HeadFault {
  readonly kind: "fault";
  readonly status: 400 | 431;
  /** For logs. */
  readonly reason: string;
}

/** Lines of a head. Node's limit of bytes counts names and values alone, and so lets ten times as many short ones in. */
const mostLines = 1_000;

const digits = /^\d{1,15}$/;
const absoluteForm = /^https?:\/\/([^/?#]*)(\/[^#]*|\?[^#]*)?$/i;

/**
 * Reads a request's head and finds what the parser of Node lets in: several Hosts or none, a Host that is no authority,
 * any Transfer-Encoding but `chunked`, one in HTTP/1.0, other versions, and request targets of no known form.
 */
export function readHead(request: IncomingMessage): RequestHead | HeadFault {
  const { headers, url = "", rawHeaders } = request;
  if (request.httpVersionMajor !== 1 || request.httpVersionMinor > 1) return fault("a version other than 1.0 and 1.1");
  if (rawHeaders.length > 2 * mostLines) return { kind: "fault", status: 431, reason: "too many headers" };
  const host = headers.host;
  if (host === undefined) {
    if (request.httpVersionMinor === 1) return fault("no Host");
  } else {
    if (countHosts(rawHeaders) > 1) return fault("several Hosts");
    if (toHostName(host) === undefined) return fault("a Host that is no authority");
  }
  const coding = headers["transfer-encoding"];
  const length = headers["content-length"];
  if (coding !== undefined) {
    if (request.httpVersionMinor === 0) return fault("Transfer-Encoding in HTTP/1.0");
    if (coding.toLowerCase() !== "chunked") return fault("a Transfer-Encoding other than chunked");
    if (length !== undefined) return fault("both Content-Length and Transfer-Encoding");
  } else if (length !== undefined && !digits.test(length)) return fault("a Content-Length that is no length");
  const hasBody = coding !== undefined || (length !== undefined && Number(length) > 0);
  if (url.charCodeAt(0) === 0x2f && !url.includes("#")) return { kind: "head", authority: host, path: url, hasBody };
  return readTarget(request.method, url, hasBody);
}

/** Any request target but the usual path: `*`, or a whole URL. */
function readTarget(method: string | undefined, url: string, hasBody: boolean): RequestHead | HeadFault {
  if (url === "*" && method === "OPTIONS") return { kind: "head", authority: undefined, path: "*", hasBody };
  const parts = absoluteForm.exec(url);
  const authority = parts?.[1];
  if (authority === undefined || !toHostName(authority)) return fault("a request target of no known form");
  const rest = parts?.[2] ?? "";
  if (rest === "" && method === "OPTIONS") return { kind: "head", authority, path: "*", hasBody };
  return { kind: "head", authority, path: rest.startsWith("/") ? rest : `/${rest}`, hasBody };
}

/** Node keeps the first of several Hosts and drops the others; only the raw list shows them. */
function countHosts(rawHeaders: readonly string[]): number {
  let hosts = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name?.length === 4 && name.toLowerCase() === "host") hosts += 1;
  }
  return hosts;
}

function fault(reason: string): HeadFault {
  return { kind: "fault", status: 400, reason };
}
