import { describe, expect, it } from "vitest";
import { eventually } from "./eventually.ts";
import { bodyOf, RawConnection, sendRaw } from "./raw-http.ts";
import { openTarget, openTestFront, type TestFront, type TestTarget } from "./test-front.ts";

/** A front and a target that notes the requests it has had to their end. */
async function openBoth(): Promise<TestFront & { whole: string[]; target: TestTarget }> {
  const whole: string[] = [];
  const target = await openTarget((request, response) => {
    request.resume().on("end", () => {
      whole.push(`${request.method} ${request.url}`);
      response.end("ok");
    });
  });
  const front = await openTestFront({ targets: [target] });
  return Object.assign(front, { whole, target });
}

const post = "POST / HTTP/1.1\r\nHost: a\r\n";
const chunked = `${post}Transfer-Encoding: chunked\r\n\r\n`;

const badRequests: readonly (readonly [string, string])[] = [
  ["Content-Length and Transfer-Encoding", `${post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ["Transfer-Encoding and Content-Length", `${post}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`],
  ["another coding before chunked", `${post}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
  ["another coding after chunked", `${post}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n`],
  ["the coding identity", `${post}Transfer-Encoding: identity\r\n\r\n0\r\n\r\n`],
  ["chunked twice in one line", `${post}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n`],
  ["chunked in two lines", `${post}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ["two codings in two lines", `${post}Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ["an empty Transfer-Encoding", `${post}Transfer-Encoding: \r\n\r\n0\r\n\r\n`],
  ["a Transfer-Encoding after a vertical tab", `${post}Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n`],
  ["Transfer-Encoding in HTTP/1.0", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
  ["equal Content-Lengths", `${post}Content-Length: 1\r\nContent-Length: 1\r\n\r\nx`],
  ["unequal Content-Lengths", `${post}Content-Length: 1\r\nContent-Length: 2\r\n\r\nxy`],
  ["a list of lengths", `${post}Content-Length: 1, 1\r\n\r\nx`],
  ["a signed length", `${post}Content-Length: +1\r\n\r\nx`],
  ["a negative length", `${post}Content-Length: -1\r\n\r\nx`],
  ["a length in hex", `${post}Content-Length: 0x1\r\n\r\nx`],
  ["an empty length", `${post}Content-Length:\r\n\r\nx`],
  ["a length beyond every number", `${post}Content-Length: 99999999999999999999\r\n\r\nx`],
  ["bare line feeds", "GET / HTTP/1.1\nHost: a\n\n"],
  ["a bare line feed after a header", "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n"],
  ["a bare line feed after the head", "GET / HTTP/1.1\r\nHost: a\r\n\n"],
  ["a bare carriage return", "GET / HTTP/1.1\r\nHost: a\rX: y\r\n\r\n"],
  ["a folded header", "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n"],
  ["a folded Host", "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n"],
  ["a space before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n"],
  ["a header without a name", "GET / HTTP/1.1\r\nHost: a\r\n: a\r\n\r\n"],
  ["a header name that is no token", "GET / HTTP/1.1\r\nHost: a\r\nX(: a\r\n\r\n"],
  ["a NUL in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n"],
  ["no Host", "GET / HTTP/1.1\r\n\r\n"],
  ["two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"],
  ["one Host twice", "GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n"],
  ["two Hosts in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"],
  ["a Host that is no authority", "GET / HTTP/1.1\r\nHost: a b/c@d\r\n\r\n"],
  ["a Host with a user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"],
  ["a Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"],
  ["a list of Hosts", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"],
  ["CONNECT", "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n"],
  ["CONNECT with a path", "CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n"],
  ["* with GET", "GET * HTTP/1.1\r\nHost: a\r\n\r\n"],
  ["a target of authority form", "GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n"],
  ["a target without a slash", "GET a HTTP/1.1\r\nHost: a\r\n\r\n"],
  ["a target with a fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n"],
  ["an absolute target with a fragment", "GET http://a/#b HTTP/1.1\r\nHost: a\r\n\r\n"],
  ["an absolute target with a user", "GET http://u:p@a/ HTTP/1.1\r\nHost: a\r\n\r\n"],
  ["an absolute target without a host", "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n"],
  ["an absolute target with another scheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"],
  ["a target with a space", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"],
  ["a target with a control character", "GET /a\x01b HTTP/1.1\r\nHost: a\r\n\r\n"],
  ["a target with a tab", "GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n"],
  ["a target with a byte beyond ASCII", "GET /\xe4 HTTP/1.1\r\nHost: a\r\n\r\n"],
  ["HTTP/0.9", "GET /\r\n\r\n"],
  ["HTTP/0.9, said so", "GET / HTTP/0.9\r\nHost: a\r\n\r\n"],
  ["HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n"],
  ["HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n"],
  ["the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
  ["a method in lower case", "get / HTTP/1.1\r\nHost: a\r\n\r\n"],
  ["a method that is no token", "G@T / HTTP/1.1\r\nHost: a\r\n\r\n"],
  ["TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
  [
    "a WebSocket handshake with a body",
    "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 3\r\n\r\nabc",
  ],
  [
    "a WebSocket handshake in chunks",
    "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  ],
  [
    "a WebSocket handshake with two Hosts",
    "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
  ],
];

const badBodies: readonly (readonly [string, string])[] = [
  ["a chunk size that is no number", `${chunked}zz\r\nabc\r\n0\r\n\r\n`],
  ["a negative chunk size", `${chunked}-3\r\nabc\r\n0\r\n\r\n`],
  ["a chunk size beyond every number", `${chunked}fffffffffffffffff\r\nabc\r\n0\r\n\r\n`],
  ["an empty chunk size", `${chunked}\r\nabc\r\n0\r\n\r\n`],
  ["a chunk that ends by a bare line feed", `${chunked}3\nabc\r\n0\r\n\r\n`],
  ["a chunk longer than its size", `${chunked}3\r\nabcd\r\n0\r\n\r\n`],
  ["a bad second chunk", `${chunked}3\r\nabc\r\nzz\r\nabc\r\n0\r\n\r\n`],
  ["a Content-Length among the trailers", `${chunked}3\r\nabc\r\n0\r\nContent-Length: 5\r\n\r\n`],
  ["a bad trailer", `${chunked}3\r\nabc\r\n0\r\nX(: 1\r\n\r\n`],
];

const bigHeads: readonly (readonly [string, string])[] = [
  ["one header too long", `GET / HTTP/1.1\r\nHost: a\r\nX: ${"a".repeat(20_000)}\r\n\r\n`],
  ["too many headers", `GET / HTTP/1.1\r\nHost: a\r\n${"X: a\r\n".repeat(5_000)}\r\n`],
  ["a target too long", `GET /${"a".repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`],
];

function expectRefusal(text: string, status: number): void {
  expect(text.split("\r\n", 1)[0]).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(text).toContain("Connection: close\r\n");
  expect(text).toContain("Content-Type: application/problem+json\r\n");
  expect(JSON.parse(bodyOf(text))).toMatchObject({ type: "about:blank", status, code: "DLX_BAD_REQUEST" });
}

describe("malformed HTTP", () => {
  it.each(badRequests)("is refused with 400 and reaches no target: %s", async (_name, bytes) => {
    const { port, records, whole, target, front } = await openBoth();
    expectRefusal(await sendRaw(port, bytes), 400);
    expect(whole).toEqual([]);
    expect(target.connections()).toBe(0);
    await eventually(() => expect(records.map((record) => record.status)).toEqual([400]));
    expect(front.active).toBe(0);
  });

  it.each(badBodies)("is refused with 400 and reaches no target whole: %s", async (_name, bytes) => {
    const { port, whole, gate, records, target } = await openBoth();
    expectRefusal(await sendRaw(port, bytes), 400);
    await eventually(() => expect(records.map((record) => record.status)).toEqual([400]));
    await eventually(() => expect(target.sockets.size).toBe(0));
    expect(whole).toEqual([]);
    expect(gate.inFlight).toBe(0);
  });

  it.each(bigHeads)("is refused with 431 and reaches no target: %s", async (_name, bytes) => {
    const { port, whole, records } = await openBoth();
    expectRefusal(await sendRaw(port, bytes), 431);
    expect(whole).toEqual([]);
    await eventually(() => expect(records.map((record) => record.status)).toEqual([431]));
  });

  it("is refused with 431 when headers never end", async () => {
    const { port, whole } = await openBoth();
    const client = await RawConnection.open(port);
    client.write("GET / HTTP/1.1\r\nHost: a\r\n");
    const timer = setInterval(() => client.write(`X-${Math.random()}: a\r\n`.repeat(20)), 5);
    const text = await client.untilClosed().finally(() => clearInterval(timer));
    expectRefusal(text, 431);
    expect(whole).toEqual([]);
  });

  it("reaches no target when a bad chunk comes while the request is held", async () => {
    const { port, gate, records } = await openTestFront();
    const client = await RawConnection.open(port);
    client.write(`${chunked}3\r\nabc\r\n`);
    await eventually(() => expect(gate.held).toBe(1));
    client.write("zz\r\n");
    expectRefusal(await client.untilClosed(), 400);
    await eventually(() => expect(gate.held).toBe(0));
    await eventually(() => expect(records.map((record) => record.status)).toEqual([400]));
  });

  it("reaches no target whole when a bad chunk comes in the middle of an upload", async () => {
    const { port, whole, target, records } = await openBoth();
    const client = await RawConnection.open(port);
    client.write(`${chunked}3\r\nabc\r\n`);
    await eventually(() => expect(target.sockets.size).toBe(1));
    client.write("zz\r\n0\r\n\r\n");
    expectRefusal(await client.untilClosed(), 400);
    await eventually(() => expect(target.sockets.size).toBe(0));
    expect(whole).toEqual([]);
    await eventually(() => expect(records.map((record) => record.status)).toEqual([400]));
  });

  it("after a whole request leaves that one its answer, as the last of the connection", async () => {
    const { port, whole } = await openBoth();
    const text = await sendRaw(port, "GET /good HTTP/1.1\r\nHost: a\r\n\r\nG@T /bad HTTP/1.1\r\n\r\n");
    expect(text).toMatch(/^HTTP\/1.1 200 OK\r\n.*Connection: close\r\n.*ok/s);
    expect(whole).toEqual(["GET /good"]);
  });

  it("never becomes a second request out of a body", async () => {
    const { port, whole } = await openBoth();
    const smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    await sendRaw(port, `${post}Connection: close\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`);
    await sendRaw(
      port,
      `${post}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`,
    );
    expect(whole).toEqual(["POST /", "POST /"]);
  });
});

describe("unusual but well-formed HTTP", () => {
  it.each([
    ["empty lines before a request", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"],
    ["CHUNKED in capitals", `${post}Connection: close\r\nTransfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n`],
    ["HTTP/1.0 without Host", "GET / HTTP/1.0\r\n\r\n"],
    ["an empty Host", "GET / HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n"],
    [
      "an upgrade to h2c, which is not taken up",
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, close, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
    ],
    [
      "an upgrade in HTTP/1.0, which is not taken up",
      "GET / HTTP/1.0\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    ],
  ])("is forwarded: %s", async (_name, bytes) => {
    const { port, whole } = await openBoth();
    expect(await sendRaw(port, bytes)).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    expect(whole).toHaveLength(1);
  });

  it.each(["OPTIONS * HTTP/1.1\r\nHost: a\r\n", "OPTIONS http://a HTTP/1.1\r\nHost: a\r\n"])(
    "is answered here: %j",
    async (head) => {
      const { port, whole, gate } = await openBoth();
      gate.awake = false;
      expect(await sendRaw(port, `${head}Connection: close\r\n\r\n`)).toMatch(/^HTTP\/1.1 204 No Content\r\n/);
      expect(whole).toEqual([]);
      expect(gate.holds).toEqual([]);
    },
  );
});

describe("slow clients", () => {
  it("are answered 408 when their head takes too long, and cost nobody else a thing", async () => {
    const target = await openTarget((_request, response) => void response.end("ok"));
    const { port, records } = await openTestFront({ targets: [target], config: { headersTimeout: 3_000 } });
    const slow = await RawConnection.open(port);
    slow.write("GET / HTTP/1.1\r\nHost: a\r\nX-");
    const timer = setInterval(() => slow.write("a"), 50);
    expect(await sendRaw(port, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")).toContain("ok");
    const text = await slow.untilClosed().finally(() => clearInterval(timer));
    expect(text).toMatch(/^HTTP\/1.1 408 Request Timeout\r\n/);
    await eventually(() => expect(records.map((record) => record.status)).toEqual([200, 408]));
  });

  it("are let go when they never say a word", async () => {
    const { port } = await openTestFront({ config: { headersTimeout: 300 } });
    const silent = await RawConnection.open(port);
    expect(await silent.untilClosed()).toMatch(/^HTTP\/1.1 408 /);
  });

  it("that hold a connection idle are let go after keepAliveTimeout", async () => {
    const target = await openTarget((_request, response) => void response.end("ok"));
    const { port } = await openTestFront({ targets: [target], config: { keepAliveTimeout: 100 } });
    const client = await RawConnection.open(port);
    client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await client.until("ok");
    expect(await client.untilClosed()).toMatch(/ok$/);
  });
});
