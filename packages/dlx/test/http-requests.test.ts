import type { IncomingMessage } from "node:http";
import { describe, expect, it } from "vitest";
import { eventually } from "./eventually.ts";
import { bodyOf, RawConnection, sendRaw } from "./raw-http.ts";
import { headerLines, openTarget, openTestFront } from "./test-front.ts";

const close = "Connection: close\r\n";

async function readAll(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
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
    await eventually(() => expect(chunks).toEqual(["head chunked"]));
    client.write("5\r\nhello\r\n");
    await eventually(() => expect(chunks).toEqual(["head chunked", "hello"]));
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
      await eventually(() => expect(client.text.match(/HTTP\/1.1 200/g)).toHaveLength(i));
    }
    expect(target.connections()).toBe(1);
    for (let i = 6; i <= 10; i += 1) {
      client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab");
      await eventually(() => expect(target.connections()).toBe(2));
      client.write("cd");
      await eventually(() => expect(client.text.match(/HTTP\/1.1 200/g)).toHaveLength(i));
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
    await eventually(() => expect(records.map((record) => record.status)).toEqual([200, 200]));
    expect(gate.inFlight).toBe(0);
  });
});
