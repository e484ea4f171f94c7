import type { IncomingMessage } from "node:http";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readHead } from "./read-head.ts";

/** A request as Node's parser gives it. */
function request(method: string, url: string, rawHeaders: readonly string[], minor = 1): IncomingMessage {
  const headers: Record<string, string> = {};
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] as string).toLowerCase();
    const value = rawHeaders[index + 1] as string;
    if (headers[name] === undefined) headers[name] = value;
    else if (name !== "host") headers[name] += `, ${value}`;
  }
  return {
    method,
    url,
    rawHeaders,
    headers,
    httpVersionMajor: 1,
    httpVersionMinor: minor,
  } as unknown as IncomingMessage;
}

describe("readHead", () => {
  it("says where a request goes and whether a body follows", () => {
    expect(readHead(request("GET", "/a?b", ["Host", "x.example:80"]))).toEqual({
      kind: "head",
      authority: "x.example:80",
      path: "/a?b",
      hasBody: false,
    });
    expect(readHead(request("POST", "/", ["Host", "x", "Content-Length", "0"]))).toMatchObject({ hasBody: false });
    expect(readHead(request("POST", "/", ["Host", "x", "Content-Length", "7"]))).toMatchObject({ hasBody: true });
    expect(readHead(request("POST", "/", ["Host", "x", "Transfer-Encoding", "Chunked"]))).toMatchObject({
      hasBody: true,
    });
    expect(readHead(request("GET", "/", [], 0))).toMatchObject({ kind: "head", authority: undefined });
  });

  it("refuses more than 1,000 lines with 431", () => {
    const lines = Array.from({ length: 1_000 }, () => ["X", "a"]).flat();
    expect(readHead(request("GET", "/", ["Host", "x", ...lines]))).toMatchObject({ kind: "fault", status: 431 });
    expect(readHead(request("GET", "/", ["Host", "x", ...lines.slice(2)]))).toMatchObject({ kind: "head" });
  });

  it("gives every request that it lets through exactly one host, one framing and a path", () => {
    const token = fc.constantFrom("Host", "host", "Content-Length", "Transfer-Encoding", "X-A");
    const value = fc.oneof(
      fc.constantFrom("a", "a:1", "a b", "u@a", "1", "01", "-1", "chunked", "gzip", "chunked, chunked", ""),
      fc.string(),
    );
    const target = fc.oneof(
      fc.constantFrom("/", "*", "http://h/p", "http://u@h/", "//h", "h:1", "/#f", "http://h#f"),
      fc.string(),
    );
    const headers = fc.array(fc.tuple(token, value), { maxLength: 5 }).map((lines) => lines.flat());
    fc.assert(
      fc.property(
        fc.constantFrom("GET", "OPTIONS"),
        target,
        headers,
        fc.constantFrom(0, 1),
        (method, url, lines, minor) => {
          const head = readHead(request(method, url, lines, minor));
          if (head.kind === "fault") return;
          const named = (name: string): string[] =>
            lines.filter((_line, index) => index % 2 === 1 && lines[index - 1]?.toLowerCase() === name);
          expect(named("host").length).toBeLessThanOrEqual(1);
          expect(named("host").length + (1 - minor)).toBeGreaterThanOrEqual(1);
          expect(named("transfer-encoding").map((coding) => coding.toLowerCase())).toEqual(
            named("transfer-encoding").length === 0 ? [] : ["chunked"],
          );
          expect(named("transfer-encoding").length * named("content-length").length).toBe(0);
          expect(named("transfer-encoding").length * (1 - minor)).toBe(0);
          for (const length of named("content-length")) expect(length).toMatch(/^\d+$/);
          expect(head.path).toMatch(/^(\/[^#]*|\*)$/s);
          expect(head.authority ?? "").not.toMatch(/[\s/@#?]/);
        },
      ),
      { numRuns: 5_000 },
    );
  });
});
