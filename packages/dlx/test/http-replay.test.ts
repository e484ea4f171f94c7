import type { Socket } from "node:net";
import { ScalerError } from "@dormouse/core";
import { describe, expect, it } from "vitest";
import { eventually } from "./eventually.ts";
import { bodyOf, RawConnection, sendRaw } from "./raw-http.ts";
import { openDeadTarget, openRawTarget, openTarget, openTestFront, type TestTarget } from "./test-front.ts";

const close = "Host: a\r\nConnection: close\r\n";

interface CountingTarget extends TestTarget {
  /** Each request that was executed, with its body. */
  readonly executed: string[];
}

/** A target that executes and answers each request that it has whole. */
async function openExecuting(answer = "done"): Promise<CountingTarget> {
  const executed: string[] = [];
  const target = await openTarget((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += String(chunk)));
    request.on("end", () => {
      executed.push(`${request.method} ${body.length > 100 ? body.length : body}`);
      response.end(answer);
    });
  });
  return Object.assign(target, { executed });
}

/** A target that executes each request and then breaks the connection before any answer, or after these bytes of one. */
async function openBreaking(bytes = ""): Promise<CountingTarget> {
  const executed: string[] = [];
  const target = await openRawTarget((socket) => {
    let text = "";
    socket.on("data", (chunk: Buffer) => {
      text += String(chunk);
      const head = text.indexOf("\r\n\r\n");
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
      if (head < 0 || text.length < head + 4 + length) return;
      executed.push(text.slice(0, text.indexOf(" ")));
      if (bytes === "") socket.resetAndDestroy();
      else socket.write(bytes, () => socket.resetAndDestroy());
    });
  });
  return Object.assign(target, { executed });
}

describe("a request of which nothing was written to any target", () => {
  it.each([
    ["GET", `GET / HTTP/1.1\r\n${close}\r\n`, "GET "],
    ["POST", `POST / HTTP/1.1\r\n${close}Content-Length: 5\r\n\r\nhello`, "POST hello"],
    ["POST without a body", `POST / HTTP/1.1\r\n${close}Content-Length: 0\r\n\r\n`, "POST "],
  ])("is sent to another target, whatever its method: %s", async (_name, bytes, executed) => {
    const [dead, alive] = [await openDeadTarget(), await openExecuting()];
    const { port, gate } = await openTestFront({ targets: [dead, alive] });
    expect(bodyOf(await sendRaw(port, bytes))).toContain("done");
    expect(alive.executed).toEqual([executed]);
    expect(gate.passages).toHaveLength(1);
    await eventually(() => expect(gate.inFlight).toBe(0));
  });

  it("is sent to another target in the middle of its upload, none of which is lost", async () => {
    const [dead, alive] = [await openDeadTarget(), await openExecuting()];
    const { port } = await openTestFront({ targets: [dead, alive], config: { replayBody: 0 } });
    const client = await RawConnection.open(port);
    client.write(`POST / HTTP/1.1\r\n${close}Content-Length: 10\r\n\r\nhello`);
    await eventually(() => expect(alive.sockets.size).toBe(1));
    client.write("world");
    expect(await client.untilClosed()).toContain("done");
    expect(alive.executed).toEqual(["POST helloworld"]);
  });

  it("goes back to the waiting room when no target is left, with the deadline of its arrival", async () => {
    const [dead, alive] = [await openDeadTarget(), await openExecuting()];
    const { port, gate, records } = await openTestFront({ targets: [dead] });
    const before = performance.now();
    const response = sendRaw(port, `POST / HTTP/1.1\r\n${close}Content-Length: 5\r\n\r\nhello`);
    await eventually(() => expect(gate.held).toBe(1));
    expect(gate.passages[0]?.ends).toBe(1);
    const arrivedAt = gate.holds[0]?.arrivedAt ?? 0;
    expect(arrivedAt).toBeGreaterThanOrEqual(before);
    gate.wake(dead);
    await eventually(() => expect(gate.holds).toHaveLength(2));
    expect(gate.holds[1]?.arrivedAt).toBe(arrivedAt);
    gate.wake(alive);
    expect(await response).toContain("done");
    expect(alive.executed).toEqual(["POST hello"]);
    await eventually(() => expect(records).toEqual([{ key: "local/default/app", status: 200, cold: true }]));
    expect(gate.inFlight).toBe(0);
  });

  it("is answered with what the new wake failed with", async () => {
    const { port, gate } = await openTestFront({ targets: [await openDeadTarget()] });
    const response = sendRaw(port, `GET / HTTP/1.1\r\n${close}\r\n`);
    await eventually(() => expect(gate.held).toBe(1));
    gate.refuse(new ScalerError("SCALER_START_FAILED", "exit code 1 at 10.0.0.1"));
    const text = await response;
    expect(text).toMatch(/^HTTP\/1.1 503 .*Retry-After: 5\r\n.*"code":"SCALER_START_FAILED"/s);
    expect(text).not.toContain("10.0.0.1");
  });

  it("does not go round for ever", async () => {
    const dead = await openDeadTarget();
    const { port, gate } = await openTestFront({ targets: [dead] });
    const timer = setInterval(() => gate.held > 0 && gate.wake(dead), 5);
    const text = await sendRaw(port, `GET / HTTP/1.1\r\n${close}\r\n`).finally(() => clearInterval(timer));
    expect(text).toMatch(/^HTTP\/1.1 502 .*"code":"DLX_TARGET_UNREACHABLE"/s);
    expect(gate.passages).toHaveLength(8);
    await eventually(() => expect(gate.inFlight).toBe(0));
  });
});

describe("a request that a target broke off before any answer", () => {
  it.each([
    ["GET", `GET / HTTP/1.1\r\n${close}\r\n`, "GET "],
    ["HEAD", `HEAD / HTTP/1.1\r\n${close}\r\n`, "HEAD "],
    ["OPTIONS", `OPTIONS / HTTP/1.1\r\n${close}\r\n`, "OPTIONS "],
    ["DELETE", `DELETE / HTTP/1.1\r\n${close}\r\n`, "DELETE "],
    ["TRACE", `TRACE / HTTP/1.1\r\n${close}\r\n`, "TRACE "],
    ["PUT with a body that is kept", `PUT / HTTP/1.1\r\n${close}Content-Length: 5\r\n\r\nhello`, "PUT hello"],
  ])("is sent once more, to another target, if that changes nothing: %s", async (_name, bytes, executed) => {
    const [breaking, alive] = [await openBreaking(), await openExecuting()];
    const { port, gate } = await openTestFront({ targets: [breaking, alive] });
    expect(await sendRaw(port, bytes)).toMatch(/^HTTP\/1.1 200 OK/);
    expect(breaking.executed).toHaveLength(1);
    expect(alive.executed).toEqual([executed]);
    expect(gate.targets).toEqual([alive]);
  });

  it.each([
    ["POST", `POST / HTTP/1.1\r\n${close}Content-Length: 5\r\n\r\nhello`],
    ["POST with an empty body", `POST / HTTP/1.1\r\n${close}Content-Length: 0\r\n\r\n`],
    ["POST without a length", `POST / HTTP/1.1\r\n${close}\r\n`],
    ["PATCH", `PATCH / HTTP/1.1\r\n${close}Content-Length: 5\r\n\r\nhello`],
    ["PUT with a body too long to keep", `PUT / HTTP/1.1\r\n${close}Content-Length: 11\r\n\r\nhello world`],
  ])("is never sent again otherwise: %s", async (_name, bytes) => {
    const [breaking, alive] = [await openBreaking(), await openExecuting()];
    const { port, gate, records } = await openTestFront({ targets: [breaking, alive], config: { replayBody: 10 } });
    expect(await sendRaw(port, bytes)).toMatch(/^HTTP\/1.1 502 .*"code":"DLX_TARGET_UNREACHABLE"/s);
    expect(breaking.executed).toHaveLength(1);
    expect(alive.executed).toEqual([]);
    await eventually(() => expect(records[0]?.status).toBe(502));
    expect(gate.inFlight).toBe(0);
  });

  it("is sent once more in the middle of an idempotent upload, from its first byte", async () => {
    const first: string[] = [];
    const breaking = await openRawTarget((socket) => {
      socket.on("data", (chunk: Buffer) => {
        first.push(String(chunk));
        if (first.join("").includes("hello")) socket.resetAndDestroy();
      });
    });
    const alive = await openExecuting();
    const { port } = await openTestFront({ targets: [breaking, alive] });
    const client = await RawConnection.open(port);
    client.write(`PUT / HTTP/1.1\r\n${close}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`);
    await eventually(() => expect(alive.sockets.size).toBe(1));
    client.write("5\r\nworld\r\n0\r\n\r\n");
    expect(await client.untilClosed()).toContain("done");
    expect(alive.executed).toEqual(["PUT helloworld"]);
  });

  it("is not sent again in the middle of an upload that is too long to keep", async () => {
    let received = 0;
    const breaking = await openRawTarget((socket) => {
      socket.on("data", (chunk: Buffer) => {
        received += chunk.length;
        if (received > 200_000) socket.resetAndDestroy();
      });
    });
    const alive = await openExecuting();
    const { port } = await openTestFront({ targets: [breaking, alive] });
    const client = await RawConnection.open(port);
    client.write(`PUT / HTTP/1.1\r\n${close}Content-Length: 10000000\r\n\r\n`);
    client.write(Buffer.alloc(300_000));
    expect(await client.until(/\}\n/)).toMatch(/^HTTP\/1.1 502 /);
    expect(alive.executed).toEqual([]);
    client.destroy();
  });

  it("is not sent a third time", async () => {
    const [one, two, three] = [await openBreaking(), await openBreaking(), await openExecuting()];
    const { port } = await openTestFront({ targets: [one, two, three] });
    expect(await sendRaw(port, `GET / HTTP/1.1\r\n${close}\r\n`)).toMatch(/^HTTP\/1.1 502 /);
    expect([one.executed.length, two.executed.length, three.executed.length]).toEqual([1, 1, 0]);
  });

  it("is sent once more though the next target refuses the connection", async () => {
    const [one, dead, three] = [await openBreaking(), await openDeadTarget(), await openExecuting()];
    const { port } = await openTestFront({ targets: [one, dead, three] });
    expect(await sendRaw(port, `GET / HTTP/1.1\r\n${close}\r\n`)).toContain("done");
    expect(three.executed).toEqual(["GET "]);
  });

  it.each([
    "H",
    "HTTP/1.1 2",
    "HTTP/1.1 200 OK\r\nContent-Le",
    "HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n",
  ])("is not sent again once a byte of a response has come: %j", async (bytes) => {
    const [breaking, alive] = [await openBreaking(bytes), await openExecuting()];
    const { port } = await openTestFront({ targets: [breaking, alive] });
    expect(await sendRaw(port, `GET / HTTP/1.1\r\n${close}\r\n`)).toContain("HTTP/1.1 502 ");
    expect(breaking.executed).toHaveLength(1);
    expect(alive.executed).toEqual([]);
  });

  it("is not sent again when its client has left meanwhile", async () => {
    let socket: { resetAndDestroy(): unknown } | undefined;
    const breaking = await openRawTarget((one) => (socket = one.on("data", () => {})));
    const alive = await openExecuting();
    const { port, records } = await openTestFront({ targets: [breaking, alive] });
    const client = await RawConnection.open(port);
    client.write(`GET / HTTP/1.1\r\n${close}\r\n`);
    await eventually(() => expect(socket).toBeDefined());
    client.destroy();
    socket?.resetAndDestroy();
    await eventually(() => expect(records).toHaveLength(1));
    expect(alive.connections()).toBe(0);
  });
});

describe("a connection that had been idle", () => {
  /** Answers the first request of each connection and breaks the connection at the second, as a server does whose time for idle connections is over. */
  async function openForgetful(): Promise<TestTarget & { requests: string[] }> {
    const requests: string[] = [];
    const target = await openRawTarget((socket) => {
      let answered = false;
      socket.on("data", (chunk: Buffer) => {
        requests.push(String(chunk).slice(0, String(chunk).indexOf(" ")));
        if (answered) socket.resetAndDestroy();
        else socket.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone");
        answered = true;
      });
    });
    return Object.assign(target, { requests });
  }

  it("and breaks is no sign against its target: a GET goes there again by a fresh one", async () => {
    const target = await openForgetful();
    const { port, gate } = await openTestFront({ targets: [target] });
    for (let i = 0; i < 3; i += 1) {
      expect(await sendRaw(port, `GET / HTTP/1.1\r\n${close}\r\n`)).toContain("done");
    }
    expect(gate.targets).toEqual([target]);
    expect(gate.holds).toEqual([]);
    expect(target.connections()).toBe(3);
  });

  it("and breaks may be the first sign of a death: a GET goes there again only when that is over, and else elsewhere", async () => {
    const dying = await openForgetful();
    const alive = await openExecuting("alive");
    const { port } = await openTestFront({ targets: [dying, alive] });
    await sendRaw(port, `GET / HTTP/1.1\r\n${close}\r\n`);
    const [first] = dying.sockets;
    // It goes on taking connections until all that it has are broken, as a process does that is being torn down.
    first?.on("data", () => {
      dying.server.on("connection", (socket: Socket) => socket.on("data", () => socket.resetAndDestroy()));
      setTimeout(() => dying.server.close(), 10);
    });
    expect(await sendRaw(port, `GET / HTTP/1.1\r\n${close}\r\n`)).toContain("alive");
    expect(alive.executed).toEqual(["GET "]);
    expect(dying.connections()).toBe(1);
  });

  it("and breaks under a POST is answered 502, for the POST may have been executed", async () => {
    const target = await openForgetful();
    const { port } = await openTestFront({ targets: [target] });
    await sendRaw(port, `GET / HTTP/1.1\r\n${close}\r\n`);
    expect(await sendRaw(port, `POST / HTTP/1.1\r\n${close}Content-Length: 2\r\n\r\nab`)).toMatch(/^HTTP\/1.1 502 /);
    expect(target.requests.filter((method) => method === "POST")).toHaveLength(1);
  });

  it("and was closed properly costs no request, whatever its method", async () => {
    const alive = await openExecuting();
    const { port } = await openTestFront({ targets: [alive] });
    await sendRaw(port, `GET / HTTP/1.1\r\n${close}\r\n`);
    for (const socket of alive.sockets) socket.end();
    await eventually(() => expect(alive.sockets.size).toBe(0));
    expect(await sendRaw(port, `POST / HTTP/1.1\r\n${close}Content-Length: 2\r\n\r\nab`)).toContain("done");
    expect(alive.executed).toEqual(["GET ", "POST ab"]);
  });

  it("is closed when its target is retired, one for uploads as well", async () => {
    const alive = await openExecuting();
    const { port, front } = await openTestFront({ targets: [alive] });
    const client = await RawConnection.open(port);
    const upload = async (times: number): Promise<void> => {
      client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab");
      await eventually(() => expect(alive.sockets.size).toBe(1));
      client.write("cd");
      await eventually(() => expect(alive.executed).toHaveLength(times));
    };
    await upload(1);
    await client.until("done");
    front.retire(alive);
    await eventually(() => expect(alive.sockets.size).toBe(0));
    client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab");
    await eventually(() => expect(alive.sockets.size).toBe(1));
    front.retire(alive);
    client.write("cd");
    await eventually(() => expect(alive.sockets.size).toBe(0));
    expect(alive.executed).toEqual(["POST abcd", "POST abcd"]);
    client.destroy();
  });

  it("is closed when its target is retired, and a busy one when its request has ended", async () => {
    let answer = (): void => {};
    const target = await openTarget((request, response) => {
      if (request.url === "/slow") answer = () => void response.end("slow");
      else response.end("fast");
    });
    const { port, front } = await openTestFront({ targets: [target] });
    const slow = sendRaw(port, `GET /slow HTTP/1.1\r\n${close}\r\n`);
    await eventually(() => expect(target.sockets.size).toBe(1));
    await sendRaw(port, `GET / HTTP/1.1\r\n${close}\r\n`);
    expect(target.sockets.size).toBe(2);
    front.retire(target);
    await eventually(() => expect(target.sockets.size).toBe(1));
    answer();
    expect(await slow).toContain("slow");
    await eventually(() => expect(target.sockets.size).toBe(0));
    expect(await sendRaw(port, `GET / HTTP/1.1\r\n${close}\r\n`)).toContain("fast");
  });
});
