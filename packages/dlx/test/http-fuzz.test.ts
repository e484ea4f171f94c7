import * as fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { eventually } from "./eventually.ts";
import { RawConnection } from "./raw-http.ts";
import { openRawTarget, openTarget, openTestFront } from "./test-front.ts";
import { watchUncaught } from "./watch-uncaught.ts";

watchUncaught();

// Each makes a thousand connections.
vi.setConfig({ testTimeout: 120_000 });

const lines = fc.constantFrom(
  "GET / HTTP/1.1\r\n",
  "POST /a HTTP/1.1\r\n",
  "PUT http://b/ HTTP/1.1\r\n",
  "OPTIONS * HTTP/1.1\r\n",
  "CONNECT a:1 HTTP/1.1\r\n",
  "Host: a\r\n",
  "Host: b\r\n",
  "Content-Length: 3\r\n",
  "Content-Length: 5\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Transfer-Encoding: gzip, chunked\r\n",
  "Connection: close\r\n",
  "Connection: Upgrade\r\n",
  "Upgrade: websocket\r\n",
  "Upgrade: h2c\r\n",
  "Expect: 100-continue\r\n",
  "X-Dormouse-Hops: 1\r\n",
  " folded\r\n",
  "\r\n",
  "abc",
  "3\r\nabc\r\n",
  "0\r\n\r\n",
  "zz\r\n",
  "\n",
);
const piece = fc.oneof({ weight: 8, arbitrary: lines }, fc.string({ unit: "binary", maxLength: 6 }));
const valid = fc.constantFrom(
  "GET /v HTTP/1.1\r\nHost: a\r\n\r\n",
  "POST /v HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
  "POST /v HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
);
const input = fc.tuple(
  fc.array(valid, { maxLength: 2 }),
  fc.array(piece, { maxLength: 12 }),
  fc.boolean(),
  fc.array(valid, { maxLength: 1 }),
);

describe("any bytes from a client", () => {
  it("end no process, leave nothing behind, and reach a service only as whole requests with one host", async () => {
    const seen: { url: string; host: unknown; body: string }[] = [];
    const target = await openTarget((request, response) => {
      let body = "";
      request.on("data", (chunk: Buffer) => (body += String(chunk)));
      request.on("end", () => {
        seen.push({ url: request.url ?? "", host: request.headers.host, body });
        response.end("ok");
      });
    });
    const { port, front, gate } = await openTestFront({ targets: [target] });
    await fc.assert(
      fc.asyncProperty(input, async ([before, middle, split, after]) => {
        const client = await RawConnection.open(port);
        const text = [...before, ...middle, ...after].join("");
        const half = split ? Math.floor(text.length / 2) : text.length;
        client.write(Buffer.from(text.slice(0, half), "latin1"));
        if (split) await new Promise((resolve) => setImmediate(resolve));
        client.write(Buffer.from(text.slice(half), "latin1"));
        client.socket.end();
        await client.untilClosed();
        for (const status of client.text.match(/^HTTP\/1\.1 \d+/gm) ?? []) expect(status).toMatch(/ (1|2|4)\d\d$/);
      }),
      { numRuns: 1_000 },
    );
    await eventually(() => expect(front.active).toBe(0));
    expect(gate.inFlight).toBe(0);
    expect(gate.passages.every((passage) => passage.ends === 1)).toBe(true);
    for (const { url, host, body } of seen) {
      expect(url).toMatch(/^\//);
      expect(["a", "b"]).toContain(host);
      expect(body.length).toBeLessThanOrEqual(5);
    }
    expect(seen.length).toBeGreaterThan(10);
  });
});

const answerPiece = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom(
      "HTTP/1.1 200 OK\r\n",
      "HTTP/1.1 103 Early Hints\r\n",
      "HTTP/1.1 100 Continue\r\n",
      "HTTP/1.1 204 No Content\r\n",
      "HTTP/1.1 101 Switching Protocols\r\n",
      "HTTP/1.0 200 OK\r\n",
      "Content-Length: 3\r\n",
      "Content-Length: 0\r\n",
      "Transfer-Encoding: chunked\r\n",
      "Connection: close\r\n",
      "Connection: Upgrade\r\nUpgrade: websocket\r\n",
      "Link: </a>; rel=preload\r\n",
      "Trailer: X-T\r\n",
      "\r\n",
      "abc",
      "3\r\nabc\r\n",
      "0\r\n\r\n",
    ),
  },
  fc.string({ unit: "binary", maxLength: 6 }),
);
const request = fc.constantFrom(
  "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
  "HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
  "GET / HTTP/1.0\r\n\r\n",
  "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 6\r\n\r\nabc",
  "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n",
  "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  "POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n",
);

describe("any bytes from a service", () => {
  it("end no process, leave nothing behind, and always give the client an end", async () => {
    let answer: { pieces: readonly string[]; end: boolean } = { pieces: [], end: true };
    const target = await openRawTarget((socket) => {
      socket.once("data", () => {
        const { pieces, end } = answer;
        for (const one of pieces) socket.write(Buffer.from(one, "latin1"));
        if (end) socket.end();
        else socket.resetAndDestroy();
      });
    });
    const { port, front, gate, records } = await openTestFront({ targets: [target] });
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(request, fc.array(answerPiece, { maxLength: 8 }), fc.boolean(), async (text, pieces, end) => {
        runs += 1;
        answer = { pieces, end };
        gate.wake(target);
        const client = await RawConnection.open(port);
        client.write(text);
        const timer = setInterval(() => gate.held > 0 && gate.wake(target), 5);
        await client.untilClosed().finally(() => clearInterval(timer));
        await vi.waitFor(() => expect(front.active).toBe(0), { timeout: 20_000, interval: 1 });
      }),
      { numRuns: 1_000 },
    );
    expect(gate.inFlight).toBe(0);
    expect(records).toHaveLength(runs);
    await eventually(() => expect(target.sockets.size).toBe(0));
  });
});
