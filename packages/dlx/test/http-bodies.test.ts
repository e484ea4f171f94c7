import { createHash, randomBytes } from "node:crypto";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { describe, expect, it } from "vitest";
import { eventually } from "./eventually.ts";
import { RawConnection } from "./raw-http.ts";
import { settled } from "./settled.ts";
import { openTarget, openTestFront } from "./test-front.ts";

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
    await eventually(() => expect(client.length).toBeGreaterThan(mostBuffered));
    client.destroy();
    await eventually(() => expect(target.sockets.size).toBe(0));
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
