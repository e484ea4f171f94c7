import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { Networks } from "./networks.ts";
import { clientAddress, toPeer } from "./peer.ts";
import { toRequestHeaders } from "./request-headers.ts";

function peer(remoteAddress: string | undefined, trusted: readonly string[] = []): ReturnType<typeof toPeer> {
  return toPeer({ remoteAddress, localPort: 8080 } as Socket, new Networks(trusted));
}

/** The lines that a target gets, for these that the client sent. */
function lines(sent: readonly string[], from = peer("203.0.113.9"), replaced?: Record<string, string>): string[] {
  const headers: Record<string, string> = {};
  for (let index = 0; index < sent.length; index += 2) {
    const name = (sent[index] as string).toLowerCase();
    headers[name] = headers[name] === undefined ? (sent[index + 1] as string) : `${headers[name]}, ${sent[index + 1]}`;
  }
  const request = { rawHeaders: sent, headers } as unknown as IncomingMessage;
  const head = { kind: "head", authority: headers["host"], path: "/", hasBody: false } as const;
  const result = toRequestHeaders(request, head, from, replaced);
  return result.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${result[index + 1]}`] : []));
}

const spoofed = Object.entries({
  "X-Forwarded-For": "192.0.2.1",
  "X-Forwarded-Proto": "https",
  "X-Forwarded-Host": "evil",
  "X-Forwarded-Port": "1",
  "X-Forwarded-User": "root",
  "X-Real-IP": "192.0.2.1",
  Forwarded: "for=192.0.2.1;host=evil",
}).flat();

describe("an untrusted peer", () => {
  it("is named itself, whatever it says of others", () => {
    expect(lines(["Host", "a.example", ...spoofed, "X-A", "1"])).toEqual([
      "Host: a.example",
      "X-A: 1",
      "X-Forwarded-For: 203.0.113.9",
      "X-Forwarded-Proto: http",
      "X-Forwarded-Port: 8080",
      "X-Forwarded-Host: a.example",
      'Forwarded: for=203.0.113.9;host="a.example";proto=http',
      "X-Dormouse-Hops: 1",
    ]);
  });

  it("is named by its own address where that is IPv6, or IPv4 in disguise", () => {
    expect(lines(["Host", "a"], peer("2001:db8::1"))).toContain('Forwarded: for="[2001:db8::1]";host="a";proto=http');
    expect(lines(["Host", "a"], peer("::ffff:192.0.2.9"))).toContain("X-Forwarded-For: 192.0.2.9");
    expect(lines(["Host", "a"], peer(undefined))).toContain('Forwarded: for=unknown;host="a";proto=http');
  });
});

describe("a trusted peer", () => {
  const proxy = peer("10.0.0.7", ["10.0.0.0/8"]);

  it("is added to those it forwards for, and believed in the rest", () => {
    const sent = ["Host", "a", ...spoofed, "X-Forwarded-For", "198.51.100.2", "X-A", "1"];
    expect(lines(sent, proxy)).toEqual([
      "Host: a",
      "X-A: 1",
      "X-Forwarded-Proto: https",
      "X-Forwarded-Host: evil",
      "X-Forwarded-Port: 1",
      "X-Forwarded-User: root",
      "X-Real-IP: 192.0.2.1",
      "X-Forwarded-For: 192.0.2.1, 198.51.100.2, 10.0.0.7",
      'Forwarded: for=192.0.2.1;host=evil, for=10.0.0.7;host="a";proto=http',
      "X-Dormouse-Hops: 1",
    ]);
  });

  it("has what it does not say filled in", () => {
    expect(lines(["Host", "a"], proxy)).toEqual([
      "Host: a",
      "X-Forwarded-For: 10.0.0.7",
      "X-Forwarded-Proto: http",
      "X-Forwarded-Port: 8080",
      "X-Forwarded-Host: a",
      'Forwarded: for=10.0.0.7;host="a";proto=http',
      "X-Dormouse-Hops: 1",
    ]);
  });
});

describe("toRequestHeaders", () => {
  it("leaves out what Connection names, but nothing that is ours", () => {
    const sent = [
      "Host",
      "a",
      "Connection",
      "close, X-Secret , X-Forwarded-For, x-dormouse-hops",
      "X-Secret",
      "1",
      "X-Dormouse-Hops",
      "1",
    ];
    const result = lines(sent);
    expect(result.join("\n")).not.toMatch(/secret|connection/i);
    expect(result).toContain("X-Forwarded-For: 203.0.113.9");
    expect(result).toContain("X-Dormouse-Hops: 2");
  });

  it("puts the trace's headers in the place of the client's", () => {
    const result = lines(["Host", "a", "TraceParent", "old", "tracestate", "kept"], undefined, { traceparent: "new" });
    expect(result.filter((line) => /^trace/i.test(line))).toEqual(["tracestate: kept", "traceparent: new"]);
  });
});

describe("clientAddress", () => {
  const trusted = new Networks(["10.0.0.0/8"]);
  const proxy = peer("10.0.0.7", ["10.0.0.0/8"]);

  it.each([
    [undefined, "10.0.0.7"],
    ["192.0.2.1", "192.0.2.1"],
    ["198.51.100.1, 192.0.2.1, 10.9.9.9", "192.0.2.1"],
    ["10.1.1.1, 10.2.2.2", "10.1.1.1"],
    ["192.0.2.1, unknown", "unknown"],
  ])("finds the nearest one that is no proxy of ours in %j", (chain, address) => {
    expect(clientAddress(proxy, chain, trusted)).toBe(address);
  });

  it("believes nobody else", () => {
    expect(clientAddress(peer("203.0.113.9"), "192.0.2.1", trusted)).toBe("203.0.113.9");
  });
});
