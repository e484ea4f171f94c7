import { createHash, randomBytes } from "node:crypto";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { describe, expect, it, vi } from "vitest";
import { bodyOf, RawConnection, sendRaw } from "./raw-http.ts";
import { headerLines, openRawTarget, openTarget, openTestFront } from "./test-front.ts";

const close = "Connection: close\r\n";

async function readAll(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** A target that answers each connection's first request with these bytes. */
function answering(bytes: string, end = false): Promise<Awaited<ReturnType<typeof openRawTarget>>> {
  return openRawTarget((socket) => {
    socket.once("data", () => {
      socket.write(Buffer.from(bytes, "latin1"));
      if (end) socket.end();
    });
  });
}

describe("forwarding, requests", () => {
  it("passes headers on in their order and spelling, duplicates too, without those of the connection", async () => {
    let lines: string[] = [];
    const target = await openTarget((request, response) => {
      lines = headerLines(request);
      response.end();
    });
    const { port } = await openTestFront({ targets: [target] });
    await sendRaw(
      port,
      `GET /x?y=1 HTTP/1.1\r\nX-First: 1\r\nHost: App.example:80\r\ncookie: a=1\r\nX-Dup: one\r\nCookie: b=2\r\nX-Dup: two\r\nX-Gone: 1\r\nTE: trailers\r\nKeep-Alive: timeout=5\r\nProxy-Authorization: x\r\nProxy-Connection: keep-alive\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\nConnection: close, X-Gone, TE\r\nX-\xe9: \r\n\r\n`.replace(
        "X-\xe9",
        "X-Latin",
      ),
    );
    expect(lines).toEqual([
      "host: App.example:80",
      "connection: keep-alive",
      "X-First: 1",
      "cookie: a=1",
      "X-Dup: one",
      "Cookie: b=2",
      "X-Dup: two",
      "X-Latin: ",
      "X-Forwarded-For: 127.0.0.1",
      "X-Forwarded-Proto: http",
      `X-Forwarded-Port: ${port}`,
      "X-Forwarded-Host: App.example:80",
      'Forwarded: for=127.0.0.1;host="App.example:80";proto=http',
      "X-Dormouse-Hops: 1",
    ]);
  });

  it("keeps each byte of a latin1 value", async () => {
    const values: unknown[] = [];
    const target = await openTarget((request, response) => {
      values.push(request.headers["x-name"]);
      response.setHeader("X-Name", "\xfc\xff").end();
    });
    const { port } = await openTestFront({ targets: [target] });
    const response = await sendRaw(port, `GET / HTTP/1.1\r\nHost: a\r\nX-Name: \xe4\xf6\r\n${close}\r\n`);
    expect(values).toEqual(["\xe4\xf6"]);
    expect(response).toContain("X-Name: \xfc\xff\r\n");
  });

  it.each([
    ["GET http://b.example:81/x?y HTTP/1.1\r\nHost: a.example\r\n", "b.example:81", "/x?y"],
    ["GET HTTP://b.example HTTP/1.1\r\nHost: a.example\r\n", "b.example", "/"],
    ["GET http://b.example?y HTTP/1.1\r\nHost: a.example\r\n", "b.example", "/?y"],
    ["GET //double//slash HTTP/1.1\r\nHost: a.example\r\n", "a.example", "//double//slash"],
  ])("takes the authority of an absolute request target for the host: %j", async (head, host, path) => {
    const seen: unknown[] = [];
    const target = await openTarget((request, response) => {
      seen.push(request.headers.host, request.url, request.headers["x-forwarded-host"]);
      response.end();
    });
    const { port } = await openTestFront({ targets: [target] });
    expect(await sendRaw(port, `${head}${close}\r\n`)).toMatch(/^HTTP\/1.1 200 /);
    expect(seen).toEqual([host, path, host]);
  });

  it.each([
    ["with a length", "Content-Length: 5\r\n\r\nhello", "5", undefined],
    [
      "in chunks",
      "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;ext=1\r\nllo\r\n0\r\nX-Trailer: 1\r\n\r\n",
      "5",
      undefined,
    ],
    ["of no length", "Content-Length: 0\r\n\r\n", "0", undefined],
    ["in no chunk", "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "0", undefined],
  ])("passes a body on that came whole, %s", async (_name, rest, length, coding) => {
    const seen: unknown[] = [];
    const target = await openTarget((request, response) => {
      void readAll(request).then((body) => {
        seen.push(
          String(body),
          request.headers["content-length"],
          request.headers["transfer-encoding"],
          request.trailers,
        );
        response.end("ok");
      });
    });
    const { port } = await openTestFront({ targets: [target] });
    expect(bodyOf(await sendRaw(port, `POST / HTTP/1.1\r\nHost: a\r\n${close}${rest}`))).toBe("ok");
    expect(seen).toEqual([length === "0" ? "" : "hello", length, coding, {}]);
  });

  it("sends the head of an upload on before any of its body, and the body as it comes", async () => {
    const chunks: string[] = [];
    const target = await openTarget((request, response) => {
      chunks.push(`head ${request.headers["transfer-encoding"]}`);
      request.on("data", (chunk: Buffer) => chunks.push(String(chunk)));
      request.on("end", () => response.end("done"));
    });
    const { port } = await openTestFront({ targets: [target] });
    const client = await RawConnection.open(port);
    client.write("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n");
    await vi.waitFor(() => expect(chunks).toEqual(["head chunked"]));
    client.write("5\r\nhello\r\n");
    await vi.waitFor(() => expect(chunks).toEqual(["head chunked", "hello"]));
    client.write("5\r\nworld\r\n0\r\nX-T: 1\r\n\r\n");
    await client.until("done");
    expect(chunks).toEqual(["head chunked", "hello", "world"]);
    client.destroy();
  });

  it("uses one connection for many requests, for uploads as well", async () => {
    const target = await openTarget((request, response) => {
      request.resume().on("end", () => response.end("ok"));
    });
    const { port } = await openTestFront({ targets: [target] });
    const client = await RawConnection.open(port);
    for (let i = 1; i <= 5; i += 1) {
      client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      await vi.waitFor(() => expect(client.text.match(/HTTP\/1.1 200/g)).toHaveLength(i));
    }
    expect(target.connections()).toBe(1);
    for (let i = 6; i <= 10; i += 1) {
      client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab");
      await vi.waitFor(() => expect(target.connections()).toBe(2));
      client.write("cd");
      await vi.waitFor(() => expect(client.text.match(/HTTP\/1.1 200/g)).toHaveLength(i));
    }
    expect(target.connections()).toBe(2);
    client.destroy();
  });

  it("answers pipelined requests in their order", async () => {
    const target = await openTarget((request, response) => {
      setTimeout(() => response.end(request.url), request.url === "/slow" ? 100 : 0);
    });
    const { port, records, gate } = await openTestFront({ targets: [target] });
    const text = await sendRaw(
      port,
      `GET /slow HTTP/1.1\r\nHost: a\r\n\r\nGET /fast HTTP/1.1\r\nHost: a\r\n${close}\r\n`,
    );
    expect(text.indexOf("/slow")).toBeGreaterThan(0);
    expect(text.indexOf("/fast")).toBeGreaterThan(text.indexOf("/slow"));
    await vi.waitFor(() => expect(records.map((record) => record.status)).toEqual([200, 200]));
    expect(gate.inFlight).toBe(0);
  });
});

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
    await vi.waitFor(() => expect(gate.held).toBe(1));
    gate.wake(target);
    expect(await response).toContain(
      "Server-Timing: db;dur=5\r\nContent-Length: 0\r\nX-Dormouse-Cold-Start: true\r\nServer-Timing: wake-claim;dur=1, wake-first-dial;dur=5, held;dur=12.3\r\n",
    );
    await vi.waitFor(() => expect(records).toEqual([{ key: "local/default/app", status: 200, cold: true }]));
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
    await vi.waitFor(() => expect(records).toHaveLength(1));
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
    await vi.waitFor(() => expect(gate.inFlight).toBe(0));
    await vi.waitFor(() => expect(target.sockets.size).toBe(0));
  });

  it("passes a head of 100 KB on", async () => {
    const value = "x".repeat(100_000);
    const target = await openTarget((_request, response) => void response.setHeader("X-Big", value).end("ok"));
    const { port } = await openTestFront({ targets: [target] });
    expect(await sendRaw(port, `GET / HTTP/1.1\r\nHost: a\r\n${close}\r\n`)).toContain(value);
  });
});

/** Resolves with a count once it has stopped rising. */
async function settled(count: () => number): Promise<number> {
  let before = -1;
  await vi.waitFor(
    () => {
      const now = count();
      const isStill = now > 0 && now === before;
      before = now;
      expect(isStill).toBe(true);
    },
    { timeout: 8_000, interval: 300 },
  );
  return before;
}

/** More than the kernel's buffers of both connections can hold, far less than what is sent. */
const mostBuffered = 24 * 1_048_576;

describe("forwarding, large bodies", () => {
  it("uploads and downloads 32 MB at once and unchanged", async () => {
    const size = 32 * 1_048_576;
    const block = randomBytes(1_048_576);
    const target = await openTarget((request, response) => void request.pipe(response));
    const { port } = await openTestFront({ targets: [target] });
    const sent = createHash("sha256");
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const request = httpRequest({ port, host: "127.0.0.1", method: "POST", headers: { "Content-Length": size } });
      let written = 0;
      const write = (): void => {
        while (written < size) {
          written += block.length;
          sent.update(block);
          if (!request.write(block)) return void request.once("drain", write);
        }
        request.end();
      };
      request.on("error", reject).on("response", resolve);
      write();
    });
    const received = createHash("sha256");
    for await (const chunk of response) received.update(chunk as Buffer);
    expect(received.digest("hex")).toBe(sent.digest("hex"));
  });

  it("reads no more from a target than its client takes", async () => {
    let written = 0;
    const block = Buffer.alloc(65_536);
    const target = await openTarget((_request, response) => {
      const write = (): void => {
        while (written < 128 * 1_048_576) {
          written += block.length;
          if (!response.write(block)) return void response.once("drain", write);
        }
        response.end();
      };
      write();
    });
    const { port } = await openTestFront({ targets: [target] });
    const client = await RawConnection.open(port);
    client.socket.pause();
    client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(await settled(() => written)).toBeLessThan(mostBuffered);
    client.socket.resume();
    await vi.waitFor(() => expect(client.length).toBeGreaterThan(mostBuffered), { timeout: 8_000 });
    client.destroy();
    await vi.waitFor(() => expect(target.sockets.size).toBe(0));
  });

  it("reads no more of an upload than its target takes, and nothing while it is held", async () => {
    let resume = (): void => {};
    let received = 0;
    const target = await openTarget((request, response) => {
      resume = () =>
        void request.on("data", (chunk: Buffer) => (received += chunk.length)).on("end", () => response.end("ok"));
    });
    const { port, gate } = await openTestFront();
    const client = await RawConnection.open(port);
    const size = 64 * 1_048_576;
    client.write(`PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`);
    const block = Buffer.alloc(65_536);
    let written = 0;
    const write = (): void => {
      while (written < size) {
        written += block.length;
        if (!client.socket.write(block)) return void client.socket.once("drain", write);
      }
    };
    write();
    expect(await settled(() => written)).toBeLessThan(mostBuffered / 2);
    gate.wake(target);
    expect(await settled(() => written)).toBeLessThan(mostBuffered);
    resume();
    await client.until("ok");
    expect(received).toBe(size);
    client.destroy();
  });
});
