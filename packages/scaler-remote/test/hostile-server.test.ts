import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { GuardedScaler, ResourceChange } from "@dormouse/core";
import { describe, expect, it, onTestFinished } from "vitest";
import { complaintOf, eventually, openRemote } from "./open-remote.ts";

const web = { namespace: "default", name: "web" };
const resource = {
  ref: web,
  desired: 1,
  ready: 1,
  wakeReplicas: 1,
  version: "1",
  ports: [{ name: "http", number: 80 }],
  createdAt: 1_700_000_000_000,
  updatedAt: 1_700_000_000_000,
};

type Reply = (response: ServerResponse, request: IncomingMessage) => unknown;

const json =
  (value: unknown, status = 200, headers: Record<string, string> = {}): Reply =>
  (response) =>
    response.writeHead(status, headers).end(JSON.stringify(value));

const hello = (more: object = {}): Reply =>
  json({ contract: 1, name: "server", capabilities: { replicas: "many", settleWithinMs: 0, ...more } });

/** A server that answers each call as it is told; what it is not told it does not know. @returns its base URL */
async function serve(replies: Readonly<Record<string, Reply>>): Promise<string> {
  const listener: RequestListener = (request, response) => {
    const reply = replies[request.url?.replace("/v1/", "") ?? ""] ?? json({}, 404);
    request.resume().once("end", () => void reply(response, request));
  };
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function openServed(replies: Readonly<Record<string, Reply>>, more: object = {}): Promise<GuardedScaler> {
  return openRemote({ http: { url: await serve({ hello: hello(), ...replies }) }, ...more });
}

/** The next change, or undefined once the watch has ended. */
async function changesOf(scaler: GuardedScaler): Promise<ResourceChange[]> {
  const changes: ResourceChange[] = [];
  for await (const change of scaler.watchResources?.() ?? []) changes.push(change);
  return changes;
}

describe("a server's failures", () => {
  it.each([
    [
      json({ code: "SCALER_QUOTA", message: "no cores left", retryAfterMs: 5_000 }, 400),
      "SCALER_QUOTA",
      "no cores left",
    ],
    [json({ code: "MINE", message: "x" }, 500), "SCALER_INTERNAL", 'the code "MINE", which no scaler has'],
    [json("no", 401), "SCALER_FORBIDDEN", "answered 401: check token"],
    [json("no", 403), "SCALER_FORBIDDEN", "answered 403: check token"],
    [json("no", 429, { "retry-after": "7" }), "SCALER_RATE_LIMITED", "answered 429"],
    [json("no", 503), "SCALER_UNAVAILABLE", "answered 503"],
    [json("no", 504), "SCALER_TIMEOUT", "answered 504"],
    [json("no", 500), "SCALER_INTERNAL", "answered 500"],
    [json("no", 302, { location: "http://127.0.0.1:1/" }), "SCALER_INTERNAL", "a redirect, which is not followed"],
    [json({}, 404), "SCALER_UNSUPPORTED", "does not know the call setScale"],
    [json({}, 200), "SCALER_INTERNAL", "version: "],
    [json({ version: 1 }, 200), "SCALER_INTERNAL", "version: "],
    [((response) => response.end("<html>")) satisfies Reply, "SCALER_INTERNAL", "the body is no JSON"],
    [((response) => response.socket?.destroy()) satisfies Reply, "SCALER_UNAVAILABLE", "could not be called"],
  ])("have a code and a text of ours, case %#", async (reply, code, message) => {
    const scaler = await openServed({ setScale: reply, listResources: json({ resources: [resource] }) });
    const complaint = await complaintOf(scaler.setScale(web, 1));
    expect(complaint).toMatch(code);
    expect(complaint).toContain(message);
    expect(await scaler.listResources()).toHaveLength(1);
  });

  it("wait as long as Retry-After says", async () => {
    const scaler = await openServed({ setScale: json("no", 429, { "retry-after": "7" }) });
    await expect(scaler.setScale(web, 1)).rejects.toMatchObject({ retryAfterMs: 7_000 });
  });

  it("leave nothing of a body that is too long in memory", async () => {
    let written = 0;
    let closed = false;
    const endless: Reply = (response) => {
      const more = (): void => {
        while (!closed && response.write("x".repeat(65_536))) written += 65_536;
      };
      response.on("drain", more).once("close", () => (closed = true));
      more();
    };
    const scaler = await openServed({ listResources: endless }, { messageBytes: 65_536 });
    const complaint = await complaintOf(scaler.listResources());
    expect(complaint).toMatch("SCALER_INTERNAL");
    expect(complaint).toContain("more than 65536 bytes");
    await eventually(() => expect(closed).toBe(true));
    expect(written).toBeLessThan(64 * 1024 * 1024);
  });

  it("end with the deadline where it is silent, and its connection with them", async () => {
    let closed = false;
    const silent: Reply = (response) => response.once("close", () => (closed = true));
    const scaler = await openServed({ getResource: silent, listResources: json({ resources: [] }) }, { timeout: "2s" });
    await expect(scaler.getResource(web)).rejects.toMatchObject({ code: "SCALER_TIMEOUT" });
    await eventually(() => expect(closed).toBe(true));
    expect(await scaler.listResources()).toEqual([]);
  });

  it("keep nobody else waiting", async () => {
    const silent: Reply = () => {};
    const scaler = await openServed({ getResource: silent, listResources: json({ resources: [] }) });
    const abort = new AbortController();
    const asked = Array.from({ length: 8 }, () => scaler.getResource(web, { signal: abort.signal }));
    expect(await scaler.listResources()).toEqual([]);
    abort.abort();
    for (const each of asked) await expect(each).rejects.toMatchObject({ code: "SCALER_ABORTED" });
  });

  it("are named where there is no server", async () => {
    const complaint = await complaintOf(openRemote({ http: { url: "http://127.0.0.1:9" }, timeout: "5s" }));
    expect(complaint).toMatch("SCALER_UNAVAILABLE");
    expect(complaint).toMatch(/http:\/\/127\.0\.0\.1:9 could not be called \(.*ECONNREFUSED/);
  });
});

describe("a server that has lost its memory", () => {
  it("is greeted again, once for all callers, and asked again", async () => {
    let knows = false;
    let greetings = 0;
    const greet: Reply = (response, request) => {
      greetings += 1;
      knows = true;
      hello()(response, request);
    };
    const list: Reply = (response, request) =>
      knows ? json({ resources: [resource] })(response, request) : json({}, 428)(response, request);
    const scaler = await openServed({ hello: greet, listResources: list });
    knows = false;
    const answers = await Promise.all([scaler.listResources(), scaler.listResources()]);
    expect(answers.map(({ length }) => length)).toEqual([1, 1]);
    expect(greetings).toBeLessThanOrEqual(3);
  });

  it("is not asked for ever", async () => {
    const scaler = await openServed({ listResources: json({}, 428) });
    const complaint = await complaintOf(scaler.listResources());
    expect(complaint).toMatch("SCALER_INTERNAL");
    expect(complaint).toContain("428");
  });

  it("may not come back with other capabilities", async () => {
    let greetings = 0;
    const greet: Reply = (response, request) =>
      hello((greetings += 1) === 1 ? {} : { compareAndSet: true })(response, request);
    const scaler = await openServed({ hello: greet, listResources: json({}, 428) });
    const complaint = await complaintOf(scaler.listResources());
    expect(complaint).toMatch("SCALER_INTERNAL");
    expect(complaint).toContain("capabilities must stay what they are");
  });
});

describe("the watch of a server", () => {
  const snapshot = JSON.stringify({ kind: "snapshot", resources: [resource] });
  const watching = (lines: string, end = true): Readonly<Record<string, Reply>> => ({
    hello: hello({ watch: true }),
    listResources: json({ resources: [] }),
    watchResources: (response) => (end ? response.end(lines) : response.write(lines)),
  });

  it("tells what comes, skips empty lines, and ends with the response", async () => {
    const changes = await changesOf(
      await openServed(watching(`\n${snapshot}\n\n{"kind":"gone","ref":${JSON.stringify(web)}}\n`)),
    );
    expect(changes.map(({ kind }) => kind)).toEqual(["snapshot", "gone"]);
  });

  it.each([
    [`${snapshot}\nnonsense\n`, "a line is no JSON"],
    [`${snapshot}\n{"kind":"set"}\n`, "resource: "],
    [`${snapshot}\n${"x".repeat(20_000)}`, "a line has more than 16384 bytes"],
    [`${snapshot}\n${"x".repeat(20_000)}\n`, "a line has more than 16384 bytes"],
  ])("throws where it says nonsense, case %#", async (lines, message) => {
    const scaler = await openServed(watching(lines, false), { messageBytes: 16_384 });
    const complaint = await complaintOf(changesOf(scaler));
    expect(complaint).toMatch("SCALER_INTERNAL");
    expect(complaint).toContain(message);
    expect(await scaler.listResources()).toEqual([]);
  });

  it("closes its connection once nobody reads it any more", async () => {
    let closed = false;
    const scaler = await openServed({
      hello: hello({ watch: true }),
      watchResources: (response) => response.once("close", () => (closed = true)).write(`${snapshot}\n`),
    });
    for await (const change of scaler.watchResources?.() ?? []) {
      expect(change.kind).toBe("snapshot");
      break;
    }
    await eventually(() => expect(closed).toBe(true));
  });
});
