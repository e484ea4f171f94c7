import { describe, expect, it } from "vitest";
import { toResponseHead, toTrailers } from "./response-headers.ts";

const raw = (...lines: string[]): Buffer[] => lines.map((line) => Buffer.from(line, "latin1"));

describe("toResponseHead", () => {
  it("keeps order, spelling and duplicates, and drops what belongs to the target's connection", () => {
    const head = toResponseHead(
      raw(
        "X-b",
        "1",
        "Connection",
        "X-Own",
        "Set-Cookie",
        "a",
        "x-own",
        "2",
        "Keep-Alive",
        "timeout=5",
        "set-cookie",
        "b",
        "connection",
        "X-More",
        "X-More",
        "3",
      ),
      true,
    );
    expect(head.lines).toEqual(["X-b", "1", "Set-Cookie", "a", "set-cookie", "b"]);
  });

  it.each(["Proxy-Authenticate", "Proxy-Connection", "TE", "Transfer-Encoding", "Upgrade"])("drops %s", (name) => {
    expect(toResponseHead(raw(name, "x"), true).lines).toEqual([]);
  });

  it("keeps Trailer where there can be trailers", () => {
    expect(toResponseHead(raw("Trailer", "X-T"), true).lines).toEqual(["Trailer", "X-T"]);
    expect(toResponseHead(raw("Trailer", "X-T"), false).lines).toEqual([]);
    expect(toResponseHead(raw("Trailer", "X-T", "Content-Length", "3"), true).lines).toEqual(["Content-Length", "3"]);
  });

  it("reads the length, and whether it is a stream, from text as from bytes", () => {
    expect(toResponseHead(["Content-Length", "12"], true)).toMatchObject({ length: 12, isStream: false });
    expect(toResponseHead(raw("content-type", "Text/Event-Stream; charset=utf-8"), true)).toMatchObject({
      length: undefined,
      isStream: true,
    });
    expect(toResponseHead(["Content-Type", "application/grpc+proto"], true).isStream).toBe(true);
  });

  it("keeps each byte", () => {
    expect(toResponseHead([Buffer.from("X"), Buffer.from([0xe4, 0xff])], true).lines).toEqual(["X", "\xe4\xff"]);
  });
});

it("toTrailers gives pairs", () => {
  expect(toTrailers([...raw("X-A", "1"), "X-B", "2"])).toEqual([
    ["X-A", "1"],
    ["X-B", "2"],
  ]);
});
