import { describe, expect, it } from "vitest";
import { eventually } from "./eventually.ts";
import { bodyOf, RawConnection, sendRaw } from "./raw-http.ts";
import { openRawTarget, openTarget, openTestFront } from "./test-front.ts";

const close = "Connection: close\r\n";

/** A target that answers each connection's first request with these bytes. */
function answering(bytes: string, end = false): Promise<Awaited<ReturnType<typeof openRawTarget>>> {
  return openRawTarget((socket) => {
    socket.once("data", () => {
      socket.write(Buffer.from(bytes, "latin1"));
      if (end) socket.end();
    });
  });
}

describe("forwarding, responses", () => {
  it("passes headers on in their order and spelling, and says that the request was warm", async () => {
    const target = await answering(
      "HTTP/1.1 201 Made It\r\nX-b: 1\r\nSet-Cookie: a=1\r\nDate: Tue, 15 Nov 1994 08:12:31 GMT\r\nset-cookie: b=2\r\nServer-Timing: db;dur=5\r\nX-Mine: 1\r\nKeep-Alive: timeout=9\r\nConnection: keep-alive, x-mine\r\nContent-Length: 2\r\n\r\nok",
    );
    const { port } = await openTestFront({ targets: [target] });
    expect(await sendRaw(port, `GET / HTTP/1.1\r\nHost: a\r\n${close}\r\n`)).toBe(
      "HTTP/1.1 201 Made It\r\nX-b: 1\r\nSet-Cookie: a=1\r\nDate: Tue, 15 Nov 1994 08:12:31 GMT\r\nset-cookie: b=2\r\nServer-Timing: db;dur=5\r\nContent-Length: 2\r\nX-Dormouse-Cold-Start: false\r\nConnection: close\r\n\r\nok",
    );
  });

  it("says what a cold request waited for, beside the service's own Server-Timing", async () => {
    const target = await answering("HTTP/1.1 200 OK\r\nServer-Timing: db;dur=5\r\nContent-Length: 0\r\n\r\n");
    const { port, gate, records } = await openTestFront();
    const response = sendRaw(port, `GET / HTTP/1.1\r\nHost: a\r\n${close}\r\n`);
    await eventually(() => expect(gate.held).toBe(1));
    gate.wake(target);
    expect(await response).toContain(
      "Server-Timing: db;dur=5\r\nContent-Length: 0\r\nX-Dormouse-Cold-Start: true\r\nServer-Timing: wake-claim;dur=1, wake-first-dial;dur=5, held;dur=12.3\r\n",
    );
    await eventually(() => expect(records).toEqual([{ key: "local/default/app", status: 200, cold: true }]));
  });

  it("adds a Date where the target has none, never a second one", async () => {
    const target = await answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    const { port } = await openTestFront({ targets: [target] });
    expect((await sendRaw(port, `GET / HTTP/1.1\r\nHost: a\r\n${close}\r\n`)).match(/date:/gi)).toHaveLength(1);
  });

  it.each([
    ["HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n", "Content-Length: 12"],
    ["HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n", "200 OK"],
    ["GET", "HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n", "X-A: 1"],
    ["GET", 'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\nContent-Length: 12\r\n\r\n', "Content-Length: 12"],
  ])("ends an answer to %s after its head: %j", async (method, bytes, part) => {
    const target = await answering(bytes);
    const { port, records } = await openTestFront({ targets: [target] });
    const text = await sendRaw(port, `${method} / HTTP/1.1\r\nHost: a\r\n${close}\r\n`);
    expect(text).toContain(part);
    expect(text.endsWith("\r\n\r\n")).toBe(true);
    await eventually(() => expect(records).toHaveLength(1));
    expect(records[0]?.status).toBe(Number(bytes.slice(9, 12)));
  });

  it("passes chunks and trailers on", async () => {
    const target = await answering(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 42\r\nX-Other: 1\r\n\r\n",
    );
    const { port } = await openTestFront({ targets: [target] });
    const text = await sendRaw(port, `GET / HTTP/1.1\r\nHost: a\r\n${close}\r\n`);
    expect(text).toContain("Trailer: X-Sum\r\n");
    expect(text).toContain("Transfer-Encoding: chunked\r\n");
    // Node 26 joins chunks that come together.
    const chunks = bodyOf(text).replace("3\r\nabc\r\n2\r\nde\r\n", "5\r\nabcde\r\n");
    expect(chunks).toBe("5\r\nabcde\r\n0\r\nX-Sum: 42\r\nX-Other: 1\r\n\r\n");
  });

  it("gives an HTTP/1.0 client no chunks, no trailers and no interim answers", async () => {
    const target = await answering(
      "HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 42\r\n\r\n",
    );
    const { port } = await openTestFront({ targets: [target] });
    const text = await sendRaw(port, "GET / HTTP/1.0\r\nHost: a\r\n\r\n");
    expect(text).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    expect(text).not.toMatch(/chunked|trailer|x-sum/i);
    expect(bodyOf(text)).toBe("abc");
  });

  it("takes the end of the connection for the end of a body without a length", async () => {
    const target = await answering("HTTP/1.1 200 OK\r\n\r\nall of it", true);
    const { port } = await openTestFront({ targets: [target] });
    const text = await sendRaw(port, `GET / HTTP/1.1\r\nHost: a\r\n${close}\r\n`);
    expect(bodyOf(text)).toBe("9\r\nall of it\r\n0\r\n\r\n");
  });

  it("passes 102 and 103 on at once, and other interim answers not at all", async () => {
    let answer = (): void => {};
    const target = await openRawTarget((socket) => {
      socket.once("data", () => {
        socket.write("HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 104 Later\r\nX-A: 1\r\n\r\n");
        socket.write(
          "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nlink: </b.css>; rel=preload\r\nX-Hint: 1\r\n\r\n",
        );
        socket.write("HTTP/1.1 103 Early Hints\r\nLink: nonsense\r\n\r\n");
        answer = () => void socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
      });
    });
    const { port } = await openTestFront({ targets: [target] });
    const client = await RawConnection.open(port);
    client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const before = await client.until("b.css");
    expect(before).toContain("HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\n");
    expect(before).toContain("Link: </a.css>; rel=preload, </b.css>; rel=preload\r\n");
    answer();
    expect(await client.until("200 OK")).not.toMatch(/nonsense|104/);
    client.destroy();
  });

  it("sends the head of a quiet stream and each of its events at once", async () => {
    const writes: ((text: string) => void)[] = [];
    const target = await openTarget((_request, response) => {
      response.writeHead(200, { "Content-Type": "text/event-stream" }).flushHeaders();
      writes.push((text) => void response.write(text));
    });
    const { port, gate } = await openTestFront({ targets: [target] });
    const client = await RawConnection.open(port);
    client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await client.until("text/event-stream");
    expect(gate.passages[0]).toMatchObject({ responses: 1, streams: 1, moves: 0, ends: 0 });
    writes[0]?.("data: one\n\n");
    await client.until("data: one\n\n");
    writes[0]?.("data: two\n\n");
    await client.until("data: two\n\n");
    expect(gate.passages[0]?.moves).toBe(2);
    expect(gate.inFlight).toBe(1);
    client.destroy();
    await eventually(() => expect(gate.inFlight).toBe(0));
    await eventually(() => expect(target.sockets.size).toBe(0));
  });

  it("passes a head of 100 KB on", async () => {
    const value = "x".repeat(100_000);
    const target = await openTarget((_request, response) => void response.setHeader("X-Big", value).end("ok"));
    const { port } = await openTestFront({ targets: [target] });
    expect(await sendRaw(port, `GET / HTTP/1.1\r\nHost: a\r\n${close}\r\n`)).toContain(value);
  });
});
