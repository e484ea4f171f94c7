import { createHash, timingSafeEqual } from "node:crypto";
import { problemResponse } from "./problem-response.ts";

export interface Access {
  /** Bearer token that callers must show; undefined: none, which only a loopback listener may have. */
  readonly token: string | undefined;
  /** Callers have to show the token or a certificate, wherever they come from. */
  readonly asksForCertificates?: boolean;
  /** `/metrics` needs no token. */
  readonly openMetrics: boolean;
}

/** Paths that probes ask for, which have no way to show a token. */
const openPaths = new Set(["/healthz", "/readyz"]);

/**
 * The refusal of a request, or undefined where it may pass: whoever has shown a certificate of the authority that is
 * configured. With a token: whoever shows it. Without one, on loopback: only
 * requests that were meant for this machine, so that no web page reaches the API through its visitor's browser, be it
 * by a name that it lets point here (DNS rebinding) or by a form.
 */
export function refuseAccess(request: Request, access: Access, hasCertificate = false): Response | undefined {
  const { token, openMetrics, asksForCertificates = false } = access;
  const { pathname } = new URL(request.url);
  if (hasCertificate || openPaths.has(pathname) || (openMetrics && pathname === "/metrics")) return undefined;
  if (token !== undefined) return refuseWithoutToken(request, token);
  if (!asksForCertificates) return refuseForeign(request);
  const detail = "Show a client certificate of the authority that is configured here.";
  return problemResponse({ status: 401, code: "ADMIN_UNAUTHORIZED", detail });
}

function refuseWithoutToken(request: Request, token: string): Response | undefined {
  const shown = /^Bearer +(\S+) *$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  if (shown !== undefined && isSame(shown, token)) return undefined;
  const detail = shown === undefined ? "Show the token as Authorization: Bearer …" : "The token is another one.";
  return problemResponse(
    { status: 401, code: "ADMIN_UNAUTHORIZED", detail },
    { "www-authenticate": 'Bearer realm="dormouse"' },
  );
}

/** In a time that does not depend on where the two differ, nor on their lengths. */
function isSame(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

function refuseForeign(request: Request): Response | undefined {
  const host = request.headers.get("host") ?? new URL(request.url).host;
  if (!isLoopbackHost(host))
    return foreign(`This API answers only to the names of this machine, not to "${host.slice(0, 100)}".`);
  if (request.method === "GET" || request.method === "HEAD") return undefined;
  const origin = request.headers.get("origin");
  if (origin !== null && !isLoopbackOrigin(origin))
    return foreign("Web pages of other machines may change nothing here.");
  const site = request.headers.get("sec-fetch-site");
  return site === null || site === "same-origin" || site === "none"
    ? undefined
    : foreign("Other web pages may change nothing here.");
}

function foreign(detail: string): Response {
  return problemResponse({ status: 403, code: "ADMIN_FOREIGN_HOST", detail });
}

function isLoopbackOrigin(origin: string): boolean {
  return URL.canParse(origin) && isLoopbackHost(new URL(origin).host);
}

function isLoopbackHost(host: string): boolean {
  const name = host.replace(/:\d+$/, "").toLowerCase().replace(/\.$/, "");
  return name === "localhost" || name.endsWith(".localhost") || name === "[::1]" || /^127(\.\d{1,3}){3}$/.test(name);
}
