import { type IncomingHttpHeaders, STATUS_CODES } from "node:http";
import type { Milliseconds } from "@dormouse/core";
import type { Answer } from "./answer.ts";

/** A page never refreshes faster than this, nor slower: somebody is looking at it. */
const refreshSeconds = { least: 1, most: 10 };

const style =
  ":root{color-scheme:light dark}body{font:1.1rem/1.5 system-ui,sans-serif;display:grid;min-height:100vh;margin:0;place-items:center}main{max-width:32rem;padding:2rem}h1{font-size:1.5rem}";

// Nothing on the page comes from elsewhere, runs, or can be framed.
const policy =
  "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/** Whether a person looks at the answer: a browser goes to a page (Fetch Metadata), and takes HTML. */
export function isNavigation(method: string | undefined, headers: IncomingHttpHeaders): boolean {
  if (method !== "GET" || headers["sec-fetch-mode"] !== "navigate") return false;
  return headers.accept?.includes("text/html") === true;
}

/**
 * A page that asks again by itself until the service answers.
 * @param host as the browser wrote it
 * @param expectedMs how long a wake of this service takes, where known
 */
export function toWaitingPage(host: string, expectedMs: Milliseconds | undefined): Answer {
  const { least, most } = refreshSeconds;
  const seconds = Math.min(most, Math.max(least, Math.ceil((expectedMs ?? 2_000) / 1_000)));
  const words = `<p role="status">${escape(host)} was asleep and is starting. This page asks again every ${seconds} s.</p>`;
  const refresh = `<meta http-equiv="refresh" content="${seconds}">`;
  return {
    status: 503,
    headers: [...pageHeaders, "Cache-Control", "no-store", "Retry-After", String(seconds)],
    body: toHtml("Starting…", words, refresh),
  };
}

/** An error for a person. */
export function toErrorPage(status: number, detail: string, code: string, headers: readonly string[]): Answer {
  const title = `${status} ${STATUS_CODES[status] ?? "Error"}`;
  const body = toHtml(title, `<p>${escape(detail)}</p><p><small>${escape(code)}</small></p>`, "");
  return { status, headers: [...pageHeaders, ...headers], body };
}

// prettier-ignore
const pageHeaders: readonly string[] = [
  "Content-Type", "text/html; charset=utf-8",
  "Content-Security-Policy", policy,
  "X-Content-Type-Options", "nosniff",
  "Referrer-Policy", "no-referrer",
];

function toHtml(title: string, words: string, head: string): string {
  const meta = '<meta charset="utf-8"><meta name="viewport" content="width=device-width">';
  return `<!doctype html><html lang="en"><head>${meta}${head}<title>${escape(title)}</title><style>${style}</style></head><body><main><h1>${escape(title)}</h1>${words}</main></body></html>\n`;
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}
