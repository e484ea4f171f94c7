import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type DlxPeer, silentLogger } from "@dormouse/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Credentials } from "../src/admin/credentials.ts";
import { type AdminServer, openAdminServer } from "../src/admin/open-admin-server.ts";
import { PeerClients } from "../src/client/peer-clients.ts";
import { FakeAdminHost } from "./fake-admin-host.ts";

const ref = { scaler: "local", namespace: "default", name: "statefulset:db" };

let host: FakeAdminHost;
let theirs: Credentials;
let ours: Credentials;
let server: AdminServer;
let clients: PeerClients;
let other: Server | undefined;

beforeEach(async () => {
  host = new FakeAdminHost();
  theirs = new Credentials({ adminToken: "t0ken", adminTls: undefined });
  ours = new Credentials({ adminToken: "t0ken", adminTls: undefined });
  const common = { clock: host.clock, logger: silentLogger, openMetrics: () => false };
  server = await openAdminServer({ ...common, host, credentials: theirs, listen: "127.0.0.1:0" });
  clients = new PeerClients({ credentials: ours, serverName: undefined });
});

afterEach(async () => {
  await clients[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  other?.closeAllConnections();
  other?.close();
  other = undefined;
});

/** Whatever is not a DLX, at an address where one should be. */
async function standIn(listener: RequestListener, id = "p1"): Promise<DlxPeer> {
  other = createServer(listener);
  await new Promise<void>((resolve) => other?.listen(0, "127.0.0.1", resolve));
  return clients.connect({ id, url: `http://127.0.0.1:${(other.address() as AddressInfo).port}` });
}

/** Answers with status 200, as the DLX p1 does. */
function answering(
  body: string,
  headers: Readonly<Record<string, string>> = { "dormouse-peer": "p1" },
): RequestListener {
  return (_, response) => response.writeHead(200, headers).end(body);
}

const activity = { process: "x", startedAt: 1, uptimeMs: 2, resources: [] };
const fence = { process: "x", attempt: "a1", inFlight: 0, held: 0 };
const quiet = { ref: "a/b/c", inFlight: 0, held: 0, idleForMs: 1, requests: 3 };

describe("a DLX of another host", () => {
  it("tells its activity and takes fences, with the token that all hosts share", async () => {
    const peer = clients.connect({ id: "p1", url: `http://${server.address}` });
    expect(await peer.readActivity()).toEqual({ process: "p1", startedAt: 1, uptimeMs: 2, resources: [] });
    expect(await peer.fence(ref, "a1")).toEqual({ process: "p1", attempt: "a1", inFlight: 0, held: 0 });
    expect(host.asked).toEqual([{ fence: "statefulset:db", attempt: "a1" }]);
  });

  it("is unknown where the token is another one, and known again once it is renewed", async () => {
    theirs.renew({ adminToken: "new", adminTls: undefined });
    const peer = clients.connect({ id: "p1", url: `http://${server.address}` });
    await expect(peer.fence(ref, "a1")).rejects.toMatchObject({ code: "SCALER_FORBIDDEN" });
    ours.renew({ adminToken: "new", adminTls: undefined });
    expect(await peer.readActivity()).toMatchObject({ process: "p1" });
  });

  it("is not the one that is listed where its address leads to another one by now: that one is not fenced either", async () => {
    const peer = clients.connect({ id: "p2", url: `http://${server.address}` });
    await expect(peer.readActivity()).rejects.toThrow(/status 421: .*ADMIN_OTHER_DLX/);
    await expect(peer.fence(ref, "a1")).rejects.toMatchObject({ code: "SCALER_UNAVAILABLE" });
    expect(host.asked).toEqual([]);
  });

  it("is unknown where an autoscaler answers, which has no DLX", async () => {
    host.peer = undefined;
    const peer = clients.connect({ id: "p1", url: `http://${server.address}` });
    await expect(peer.readActivity()).rejects.toThrow(/status 404/);
  });
});

describe("what is no answer of the DLX that is meant", () => {
  it.each([
    ["an answer that names nobody", answering(JSON.stringify(activity), {})],
    ["an answer that names another one", answering(JSON.stringify(activity), { "dormouse-peer": "p2" })],
    ["no JSON", answering("<html>")],
    ["a part of an answer", answering(JSON.stringify({ ...activity, resources: undefined }))],
    ["a negative count", answering(JSON.stringify({ ...activity, resources: [{ ...quiet, held: -1 }] }))],
    ["half a request", answering(JSON.stringify({ ...activity, resources: [{ ...quiet, inFlight: 0.5 }] }))],
    [
      "an idleness that is no number",
      answering(JSON.stringify({ ...activity, resources: [{ ...quiet, idleForMs: null }] })),
    ],
    ["a resource that is there twice", answering(JSON.stringify({ ...activity, resources: [quiet, quiet] }))],
    ["a redirect", (_, response) => response.writeHead(307, { location: "/", "dormouse-peer": "p1" }).end()],
    ["a fault", (_, response) => response.writeHead(500).end("x".repeat(100_000))],
    ["a connection that breaks", (request) => request.socket.destroy()],
    [
      "an answer that breaks off",
      (_, response) => {
        response.writeHead(200, { "dormouse-peer": "p1", "content-length": "1000" }).write("{");
        setTimeout(() => response.destroy(), 20);
      },
    ],
  ] satisfies [string, RequestListener][])("%s makes its activity unknown", async (_, listener) => {
    const peer = await standIn(listener);
    await expect(peer.readActivity()).rejects.toMatchObject({ code: "SCALER_UNAVAILABLE" });
  });

  it.each([
    ["of another attempt", { ...fence, attempt: "a0" }],
    ["without an attempt", { ...fence, attempt: undefined }],
    ["without counts", { ...fence, held: undefined }],
    ["without its process", { ...fence, process: undefined }],
  ])("an answer %s proves nothing to a fence", async (_, answer) => {
    const peer = await standIn(answering(JSON.stringify(answer)));
    await expect(peer.fence(ref, "a1")).rejects.toMatchObject({ code: "SCALER_UNAVAILABLE" });
  });

  it("an answer that never ends is cut off", async () => {
    const block = "x".repeat(1_048_576);
    const peer = await standIn((_, response) => {
      response.writeHead(200, { "dormouse-peer": "p1" });
      const pump = (): void => {
        while (!response.destroyed && response.write(block));
      };
      response.on("drain", pump);
      pump();
    });
    await expect(peer.readActivity()).rejects.toMatchObject({ code: "SCALER_UNAVAILABLE" });
  });

  it("silence lasts no longer than the caller has time", async () => {
    const peer = await standIn(() => {});
    const abort = new AbortController();
    const asked = peer.fence(ref, "a1", { signal: abort.signal });
    abort.abort();
    await expect(asked).rejects.toMatchObject({ code: "SCALER_ABORTED" });
  });

  it("nobody at the address makes it unknown", async () => {
    const peer = clients.connect({ id: "p1", url: "http://127.0.0.1:1" });
    await expect(peer.readActivity()).rejects.toMatchObject({ code: "SCALER_UNAVAILABLE" });
  });
});

it("keeps its connections for calls that follow each other", async () => {
  const ports = new Set<number | undefined>();
  const peer = await standIn((request, response) => {
    ports.add(request.socket.remotePort);
    answering(JSON.stringify(activity))(request, response);
  });
  for (let call = 0; call < 20; call += 1) await peer.readActivity();
  expect(ports.size).toBeLessThanOrEqual(4);
});
