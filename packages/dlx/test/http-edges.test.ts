import { FakeClock } from "@dormouse/core/testing";
import { describe, expect, it } from "vitest";
import { eventually } from "./eventually.ts";
import { bodyOf, RawConnection, sendRaw } from "./raw-http.ts";
import { openRawTarget, openSilentTarget, openTarget, openTestFront } from "./test-front.ts";

const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const last = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

describe("Expect: 100-continue", () => {
  it("is answered once the request is released, its body unread until then", async () => {
    const bodies: string[] = [];
    const target = await openTarget((request, response) => {
      expect(request.headers.expect).toBeUndefined();
      request.on("data", (chunk: Buffer) => bodies.push(String(chunk))).on("end", () => response.end("done"));
    });
    const { port, gate } = await openTestFront();
    const client = await RawConnection.open(port);
    client.write("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    await eventually(() => expect(gate.held).toBe(1));
    expect(client.text).toBe("");
    gate.wake(target);
    await client.until("HTTP/1.1 100 Continue\r\n\r\n");
    client.write("hello");
    await client.until("done");
    expect(bodies).toEqual(["hello"]);
    expect(client.text.match(/100 Continue/g)).toHaveLength(1);
    client.destroy();
  });

  it("gets no 100 where the request is refused, and the connection ends", async () => {
    const { port } = await openTestFront({ routes: [] });
    const text = await sendRaw(port, "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    expect(text).toMatch(/^HTTP\/1.1 404 /);
    expect(text).toContain("Connection: close\r\n");
  });

  it("is refused where it expects anything else", async () => {
    const { port, records } = await openTestFront();
    const text = await sendRaw(port, "POST / HTTP/1.1\r\nHost: a\r\nExpect: a-miracle\r\nContent-Length: 0\r\n\r\n");
    expect(text).toMatch(/^HTTP\/1.1 417 /);
    expect(text).toContain('"code":"DLX_BAD_REQUEST"');
    await eventually(() => expect(records).toEqual([{ key: "", status: 417, cold: false }]));
  });
});

describe("answers before the end of a request", () => {
  it("reach a client that has sent no byte of its body, which then may go on", async () => {
    const target = await openTarget((request, response) => {
      if (request.method === "POST") response.writeHead(413, { "Content-Length": 3 }).end("big");
      else response.end("next");
    });
    const { port, gate, records } = await openTestFront({ targets: [target] });
    const client = await RawConnection.open(port);
    client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n");
    await client.until("big");
    await eventually(() => expect(gate.inFlight).toBe(0));
    client.write(`0123456789${get}`);
    expect(await client.until("next")).toMatch(/^HTTP\/1.1 413 /);
    expect(records[0]?.status).toBe(413);
    client.destroy();
  });

  it("reach a client in the middle of its upload, though the target closes its connection", async () => {
    const target = await openRawTarget((socket) => {
      let received = 0;
      socket.on("data", (chunk: Buffer) => {
        received += chunk.length;
        if (received > 100_000)
          socket.end("HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbig");
      });
    });
    const { port, records } = await openTestFront({ targets: [target] });
    const client = await RawConnection.open(port);
    client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
    for (let i = 0; i < 10; i += 1) client.write(Buffer.alloc(20_000));
    expect(await client.until("big")).toMatch(/^HTTP\/1.1 413 Too Large/);
    await eventually(() => expect(records[0]?.status).toBe(413));
    client.destroy();
  });

  it("leave the rest of a body to be thrown away, for ten seconds", async () => {
    const target = await openTarget((_request, response) => void response.writeHead(413).end());
    const clock = new FakeClock();
    const { port } = await openTestFront({ targets: [target], clock });
    const client = await RawConnection.open(port);
    client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n");
    await client.until("413");
    await clock.advance(9_000);
    client.write("some");
    expect(client.isClosed).toBe(false);
    await clock.advance(1_100);
    await client.untilClosed();
    expect(clock.pendingTimers).toBe(0);
  });
});

describe("a target that breaks off", () => {
  it.each([
    ["of known length", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", get],
    ["in chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", get],
    [
      "to an upload",
      "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
      "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc",
    ],
  ])("breaks the client's connection too, in the middle of an answer %s", async (_name, bytes, request) => {
    const { target, connections } = await openSilentTarget();
    const { port, records, gate } = await openTestFront({ targets: [target] });
    const client = await RawConnection.open(port);
    client.write(request);
    await eventually(() => expect(connections[0]?.text).toContain("\r\n\r\n"));
    connections[0]?.socket.write(bytes);
    await client.until("half");
    connections[0]?.socket.destroy();
    const text = await client.untilClosed();
    expect(bodyOf(text)).not.toMatch(/0\r\n\r\n$/);
    await eventually(() => expect(records).toEqual([{ key: "local/default/app", status: 502, cold: false }]));
    expect(gate.passages[0]?.ends).toBe(1);
    expect(gate.inFlight).toBe(0);
  });

  it("resets an HTTP/1.0 client, which could not tell otherwise", async () => {
    const { target, connections } = await openSilentTarget();
    const { port } = await openTestFront({ targets: [target] });
    const client = await RawConnection.open(port);
    const errors: unknown[] = [];
    client.socket.on("error", (error) => errors.push(Reflect.get(error, "code")));
    client.write("GET / HTTP/1.0\r\nHost: a\r\n\r\n");
    await eventually(() => expect(connections[0]?.text).toContain("\r\n\r\n"));
    connections[0]?.socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n");
    await client.until("half");
    connections[0]?.socket.resetAndDestroy();
    await client.untilClosed();
    expect(errors).toEqual(["ECONNRESET"]);
  });

  const garbage = [
    "",
    "\x16\x03\x01",
    "nonsense\r\n\r\n",
    "HTTP/1.1 200 OK\r\nBad Header\r\n\r\n",
    "HTTP/1.1 99 Low\r\n\r\n",
    "HTTP/1.1 200 O\x01K\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    `HTTP/1.1 200 OK\r\nX: ${"x".repeat(200_000)}\r\n\r\n`,
  ];
  const requests = [
    last.replace("GET", "POST"),
    "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 9\r\n\r\nhalf",
  ];
  const cases = garbage.flatMap((bytes) => requests.map((request) => [bytes, request] as const));

  it.each(cases)("is answered 502 where it says %j to %j", async (bytes, request) => {
    const target = await openRawTarget((socket) => {
      socket.once("data", () => void socket.end(Buffer.from(bytes, "latin1")));
    });
    const { port, records, gate } = await openTestFront({ targets: [target] });
    const client = await RawConnection.open(port);
    client.write(request);
    const text = await client.until(/\}\n$/);
    expect(text).toMatch(/^HTTP\/1.1 502 Bad Gateway/);
    expect(text).toContain('"code":"DLX_TARGET_UNREACHABLE"');
    expect(text).not.toContain("127.0.0.1");
    client.destroy();
    await eventually(() => expect(records.map((record) => record.status)).toEqual([502]));
    expect(gate.inFlight).toBe(0);
  });
});

describe("a client that leaves", () => {
  it("ends the request at the target, and counts as 499", async () => {
    const { target, connections } = await openSilentTarget();
    const { port, records, gate } = await openTestFront({ targets: [target] });
    const client = await RawConnection.open(port);
    client.write(get);
    await eventually(() => expect(connections[0]?.text).toContain("\r\n\r\n"));
    client.destroy();
    await eventually(() => expect(target.sockets.size).toBe(0));
    await eventually(() => expect(records).toEqual([{ key: "local/default/app", status: 499, cold: false }]));
    expect(gate.passages[0]?.ends).toBe(1);
  });

  it("leaves its target without the end of an upload", async () => {
    const { target, connections } = await openSilentTarget();
    const { port, records } = await openTestFront({ targets: [target] });
    const client = await RawConnection.open(port);
    client.write("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    await eventually(() => expect(connections[0]?.text).toContain("abc"));
    client.destroy();
    await eventually(() => expect(target.sockets.size).toBe(0));
    expect(connections[0]?.text).not.toContain("0\r\n\r\n");
    await eventually(() => expect(records[0]?.status).toBe(499));
  });

  it("frees its place while it is held, and wakes nobody up again", async () => {
    const { port, records, gate } = await openTestFront();
    const client = await RawConnection.open(port);
    client.write(get);
    await eventually(() => expect(gate.held).toBe(1));
    client.destroy();
    await eventually(() => expect(gate.held).toBe(0));
    await eventually(() => expect(records[0]?.status).toBe(499));
    expect(gate.passages).toEqual([]);
  });

  it("frees its place though a request was pipelined before it", async () => {
    const { port, gate, records } = await openTestFront();
    const client = await RawConnection.open(port);
    client.write(get + get);
    await eventually(() => expect(gate.held).toBe(2));
    client.destroy();
    await eventually(() => expect(gate.held).toBe(0));
    await eventually(() => expect(records.map((record) => record.status)).toEqual([499, 499]));
  });

  it("is noticed while the answer stands under its back-pressure", async () => {
    const target = await openTarget((_request, response) => void response.end(Buffer.alloc(32 * 1_048_576)));
    const { port, gate, records } = await openTestFront({ targets: [target] });
    const client = await RawConnection.open(port);
    client.socket.pause();
    client.write(get);
    await eventually(() => expect(gate.passages[0]?.responses).toBe(1));
    client.destroy();
    await eventually(() => expect(gate.inFlight).toBe(0));
    await eventually(() => expect(target.sockets.size).toBe(0));
    await eventually(() => expect(records[0]?.status).toBe(499));
  });
});
