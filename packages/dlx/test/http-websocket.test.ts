import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { ScalerError } from "@dormouse/core";
import { FakeClock } from "@dormouse/core/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import { type RawData, WebSocket, WebSocketServer } from "ws";
import { eventually } from "./eventually.ts";
import { settled } from "./settled.ts";
import { bodyOf, RawConnection, sendRaw } from "./raw-http.ts";
import {
  headerLines,
  openDeadTarget,
  openRawTarget,
  openTarget,
  openTestFront,
  type TestTarget,
} from "./test-front.ts";
import { watchUncaught } from "./watch-uncaught.ts";

watchUncaught();

const handshake =
  "GET /chat//x?y=%20 HTTP/1.1\r\nHost: app.example\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/** A WebSocket server that answers each message with itself, and greets at once. */
async function openEcho(): Promise<TestTarget & { requests: IncomingMessage[] }> {
  const requests: IncomingMessage[] = [];
  const target = await openTarget((_request, response) => void response.end("plain"));
  const server = new WebSocketServer({ noServer: true });
  target.server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
    requests.push(request);
    server.handleUpgrade(request, socket, head, (one) => {
      one.on("error", () => {});
      one.on("message", (data, isBinary) => one.send(data, { binary: isBinary }));
      one.send("hello");
    });
  });
  return Object.assign(target, { requests });
}

/** Connects and notes what comes. */
function openWebSocket(url: string): {
  socket: WebSocket;
  messages: string[];
  closed: Promise<number>;
  opened: Promise<void>;
} {
  const socket = new WebSocket(url.replace("http", "ws"));
  onTestFinished(() => socket.terminate());
  const messages: string[] = [];
  socket.on("message", (data: RawData) => messages.push(String(Buffer.concat([data].flat() as Buffer[]))));
  socket.on("error", () => {});
  const closed = new Promise<number>((resolve) => socket.once("close", resolve));
  const opened = new Promise<void>((resolve) => socket.once("open", resolve));
  return { socket, messages, closed, opened };
}

describe("a WebSocket", () => {
  it("is opened by the service and carries messages both ways, in any size", async () => {
    const target = await openEcho();
    const { url, gate } = await openTestFront({ targets: [target] });
    const { socket, messages, opened } = openWebSocket(url);
    await opened;
    await eventually(() => expect(messages).toEqual(["hello"]));
    const big = "x".repeat(1_000_000);
    socket.send(big);
    await eventually(() => expect(messages[1]?.length).toBe(big.length));
    expect(gate.inFlight).toBe(1);
    expect(gate.passages[0]).toMatchObject({ responses: 1, streams: 1 });
    const before = gate.passages[0]?.moves ?? 0;
    expect(before).toBeGreaterThan(2);
    socket.send("again");
    await eventually(() => expect(messages[2]).toBe("again"));
    expect(gate.passages[0]?.moves).toBeGreaterThanOrEqual(before + 2);
    socket.close();
    await eventually(() => expect(gate.inFlight).toBe(0));
    await eventually(() => expect(target.sockets.size).toBe(0));
  });

  it("is held like any request, and opens once its service is awake", async () => {
    const target = await openEcho();
    const { url, gate, records } = await openTestFront();
    const { socket, messages, opened } = openWebSocket(url);
    await eventually(() => expect(gate.held).toBe(1));
    gate.wake(target);
    await opened;
    await eventually(() => expect(messages).toEqual(["hello"]));
    socket.close(1000);
    await eventually(() => expect(records).toEqual([{ key: "local/default/app", status: 101, cold: true }]));
  });

  it("reaches the service as it was asked for, with whom it is forwarded for", async () => {
    const target = await openEcho();
    const { port } = await openTestFront({ targets: [target] });
    const client = await RawConnection.open(port);
    client.write(handshake);
    const text = await client.until("hello");
    expect(text).toMatch(/^HTTP\/1.1 101 Switching Protocols\r\n/);
    expect(text.toLowerCase()).toContain("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=");
    expect(text).toContain("X-Dormouse-Cold-Start: false\r\n");
    const [request] = target.requests;
    expect(request?.url).toBe("/chat//x?y=%20");
    const lines = headerLines(request as IncomingMessage).map((line) => line.toLowerCase());
    expect(lines).toContain("host: app.example");
    expect(lines).toContain("x-forwarded-for: 127.0.0.1");
    expect(lines).toContain("x-dormouse-hops: 1");
    expect(lines.filter((line) => line.startsWith("upgrade:") || line.startsWith("connection:"))).toHaveLength(2);
    client.destroy();
  });

  it("passes on what the client sent right behind its handshake", async () => {
    const target = await openEcho();
    const { port, gate } = await openTestFront();
    const client = await RawConnection.open(port);
    const frame = Buffer.from([0x81, 0x82, 1, 2, 3, 4, "h".charCodeAt(0) ^ 1, "i".charCodeAt(0) ^ 2]);
    client.write(Buffer.concat([Buffer.from(handshake), frame]));
    await eventually(() => expect(gate.held).toBe(1));
    client.write(frame);
    gate.wake(target);
    await client.until("\x81\x02hi\x81\x02hi");
    client.destroy();
  });

  it.each([
    [
      "refused with a length",
      "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nContent-Length: 4\r\n\r\nnope",
      401,
      "nope",
    ],
    [
      "refused in chunks",
      "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nnope\r\n0\r\n\r\n",
      404,
      "4\r\nnope\r\n0\r\n\r\n",
    ],
    ["answered as a plain request", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnope", 200, "nope"],
  ])("learns that it was %s", async (_name, bytes, status, body) => {
    const target = await openRawTarget((socket) => void socket.once("data", () => socket.write(bytes)));
    const { port, records, gate } = await openTestFront({ targets: [target] });
    const text = await sendRaw(port, handshake);
    expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(bodyOf(text)).toBe(body);
    await eventually(() => expect(records[0]?.status).toBe(status));
    expect(gate.inFlight).toBe(0);
    await eventually(() => expect(target.sockets.size).toBe(0));
  });

  it("is dialled at the next target where one refuses the connection", async () => {
    const target = await openEcho();
    const { port } = await openTestFront({ targets: [await openDeadTarget(), target] });
    const client = await RawConnection.open(port);
    client.write(handshake);
    expect(await client.until("hello")).toMatch(/^HTTP\/1.1 101 /);
    client.destroy();
  });

  it("is held again where no target is left", async () => {
    const target = await openEcho();
    const { port, gate } = await openTestFront({ targets: [await openDeadTarget()] });
    const client = await RawConnection.open(port);
    client.write(handshake);
    await eventually(() => expect(gate.held).toBe(1));
    expect(gate.inFlight).toBe(0);
    gate.wake(target);
    await client.until("hello");
    client.destroy();
  });

  it.each(["", "garbage\r\n\r\n"])("is answered 502 where its target breaks off after %j", async (bytes) => {
    const target = await openRawTarget((socket) => void socket.once("data", () => socket.end(bytes)));
    const { port, records, gate } = await openTestFront({ targets: [target] });
    expect(await sendRaw(port, handshake)).toMatch(/^HTTP\/1.1 502 .*"code":"DLX_TARGET_UNREACHABLE"/s);
    await eventually(() => expect(records[0]?.status).toBe(502));
    expect(gate.inFlight).toBe(0);
    expect(gate.passages).toHaveLength(1);
  });

  it.each([
    ["DLX_WAKE_TIMEOUT", 504],
    ["DLX_HOLD_FULL", 503],
  ] as const)("is refused as any request: %s", async (code, status) => {
    const { port, gate, records } = await openTestFront();
    const response = sendRaw(port, handshake);
    await eventually(() => expect(gate.held).toBe(1));
    gate.refuse(new ScalerError(code, "x", { retryAfterMs: 2_000 }));
    const text = await response;
    expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(text).toContain("Retry-After: 2\r\n");
    expect(text).toContain(`"code":"${code}"`);
    await eventually(() => expect(records[0]?.status).toBe(status));
  });

  it("without a route is answered 404", async () => {
    const { port } = await openTestFront({ routes: [] });
    expect(await sendRaw(port, handshake)).toMatch(/^HTTP\/1.1 404 /);
  });

  it.each(["end", "destroy", "resetAndDestroy"] as const)(
    "frees its place when its client leaves while held, by %s",
    async (way) => {
      const { port, gate, records } = await openTestFront();
      const client = await RawConnection.open(port);
      client.write(handshake);
      await eventually(() => expect(gate.held).toBe(1));
      client.socket[way]();
      await eventually(() => expect(gate.held).toBe(0));
      await eventually(() => expect(records).toEqual([{ key: "local/default/app", status: 499, cold: false }]));
      client.destroy();
    },
  );

  it.each(["end", "destroy", "resetAndDestroy"] as const)(
    "ends at both sides when its client goes by %s",
    async (way) => {
      const target = await openEcho();
      const { port, gate, front } = await openTestFront({ targets: [target] });
      const client = await RawConnection.open(port);
      client.write(handshake);
      await client.until("hello");
      client.socket[way]();
      await eventually(() => expect(target.sockets.size).toBe(0));
      await eventually(() => expect(gate.inFlight).toBe(0));
      await eventually(() => expect(front.active).toBe(0));
      client.destroy();
    },
  );

  it.each(["end", "destroy", "resetAndDestroy"] as const)(
    "ends at both sides when its service goes by %s",
    async (way) => {
      const target = await openEcho();
      const { port, gate, front } = await openTestFront({ targets: [target] });
      const client = await RawConnection.open(port);
      client.write(handshake);
      await client.until("hello");
      for (const socket of target.sockets) socket[way]();
      await client.untilClosed();
      await eventually(() => expect(gate.inFlight).toBe(0));
      await eventually(() => expect(front.active).toBe(0));
    },
  );

  it("keeps what a slow reader has not taken out of memory", async () => {
    let sent = 0;
    const target = await openEcho();
    target.server.removeAllListeners("upgrade").on("upgrade", (_request: IncomingMessage, socket: Socket) => {
      socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
      const block = Buffer.alloc(65_536);
      const write = (): void => {
        while (sent < 128 * 1_048_576) {
          sent += block.length;
          if (!socket.write(block)) return void socket.once("drain", write);
        }
      };
      write();
    });
    const { port } = await openTestFront({ targets: [target] });
    const client = await RawConnection.open(port);
    client.write(handshake);
    await client.until("101");
    client.socket.pause();
    expect(await settled(() => sent)).toBeLessThan(32 * 1_048_576);
    client.destroy();
  });

  it("outlives a drain for as long as that may last, and no longer", async () => {
    const target = await openEcho();
    const clock = new FakeClock();
    const { url, front, gate, records } = await openTestFront({
      targets: [target],
      clock,
      config: { drainTimeout: 5_000 },
    });
    const { socket, messages, opened, closed } = openWebSocket(url);
    await opened;
    const drained = front.drain();
    await clock.advance(4_900);
    socket.send("still here");
    await eventually(() => expect(messages).toContain("still here"));
    await clock.advance(200);
    expect(await drained).toBe(1);
    expect(await closed).toBe(1006);
    await eventually(() => expect(gate.inFlight).toBe(0));
    await eventually(() => expect(records[0]?.status).toBe(101));
  });
});
