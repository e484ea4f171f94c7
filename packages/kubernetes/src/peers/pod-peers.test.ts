import { type DlxPeer, openPort, type PeerAddress, silentLogger, systemClock } from "@dormouse/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { answer, FakeApiServer, fail } from "../../test/fake-api-server.ts";
import { peerDiscovery } from "./peer-discovery.ts";
import { peerDiscoveryOptionsSchema } from "./peer-discovery-options.ts";

let server: FakeApiServer;
let connected: PeerAddress[];

beforeEach(async () => {
  server = await FakeApiServer.open();
  connected = [];
});

afterEach(() => server[Symbol.asyncDispose]());

const path = "/api/v1/namespaces/dormouse/pods";

async function open(options: object = {}) {
  const connect = (address: PeerAddress): DlxPeer => {
    connected.push(address);
    return {
      id: address.id,
      readActivity: () => Promise.reject(new Error("far")),
      fence: () => Promise.reject(new Error("far")),
    };
  };
  const kubeconfig = await server.writeKubeconfig({ context: { namespace: "dormouse" } });
  const context = { id: "peers", logger: silentLogger, clock: systemClock, connect };
  return openPort(peerDiscovery, { kubeconfig, selector: "app=dlx", ...options }, context);
}

const pod = (name: string, status: object, metadata: object = {}) => ({
  metadata: { name, uid: name, ...metadata },
  status,
});

describe("the DLXs as pods", () => {
  it("are all that may have a process and have an address, whatever their state", async () => {
    const items = [
      pod("ready", { phase: "Running", podIP: "10.0.0.1" }),
      pod("leaving", { phase: "Running", podIP: "10.0.0.2" }, { deletionTimestamp: "2026-01-01T00:00:00Z" }),
      pod("pending", { phase: "Pending" }),
      pod("lost", { phase: "Unknown", podIP: "fd00::3" }),
      pod("new", {}),
      pod("done", { phase: "Succeeded", podIP: "10.0.0.4" }),
      pod("evicted", { phase: "Failed" }),
    ];
    server.on(path, answer({ items }));
    const peers = await open({ adminPort: 9000, scheme: "https", pod: "ready" });
    const listed = await peers.listPeers();
    expect(peers.self).toBe("ready");
    expect(listed.map(({ id }) => id)).toEqual(["ready", "leaving", "lost"]);
    expect(connected).toEqual([
      { id: "ready", url: "https://10.0.0.1:9000" },
      { id: "leaving", url: "https://10.0.0.2:9000" },
      { id: "lost", url: "https://[fd00::3]:9000" },
    ]);
    await peers[Symbol.asyncDispose]();
  });

  it("are asked for anew each time, from no cache, and in all pages", async () => {
    server.on(path, (request, response) => {
      const isSecond = request.query.has("continue");
      const items = [pod(isSecond ? "b" : "a", { phase: "Running", podIP: "10.0.0.1" })];
      response.end(JSON.stringify({ metadata: isSecond ? {} : { continue: "more" }, items }));
    });
    const peers = await open();
    expect((await peers.listPeers()).map(({ id }) => id)).toEqual(["a", "b"]);
    await peers.listPeers();
    const asked = server.requestsTo(path).map(({ query }) => query);
    expect(asked).toHaveLength(4);
    expect(asked.every((query) => query.get("labelSelector") === "app=dlx" && !query.has("resourceVersion"))).toBe(
      true,
    );
    // Their connections are kept.
    expect(connected).toHaveLength(2);
    await peers[Symbol.asyncDispose]();
  });

  it("get another connection once a pod of the same name is another one", async () => {
    server.on(path, answer({ items: [pod("dlx-0", { podIP: "10.0.0.1" }, { uid: "1" })] }));
    const peers = await open();
    await peers.listPeers();
    server.on(path, answer({ items: [pod("dlx-0", { podIP: "10.0.0.2" }, { uid: "2" })] }));
    await peers.listPeers();
    expect(connected.map(({ url }) => url)).toEqual(["http://10.0.0.1:8081", "http://10.0.0.2:8081"]);
    await peers[Symbol.asyncDispose]();
  });

  it.each([
    ["the server refuses", fail(403, { message: "no" }), "SCALER_FORBIDDEN"],
    ["the server is broken", fail(500, {}), "SCALER_UNAVAILABLE"],
    ["the answer is no list", answer({ kind: "Status" }), "SCALER_UNAVAILABLE"],
    ["the answer is empty", (_: unknown, response: { end(): unknown }) => void response.end(), "SCALER_UNAVAILABLE"],
  ])("are unknown where %s: never an empty list", async (_, handler, code) => {
    const peers = await open();
    server.on(path, handler);
    await expect(peers.listPeers()).rejects.toMatchObject({ code });
    await peers[Symbol.asyncDispose]();
  });

  it("are unknown where only their first page could be read", async () => {
    server.on(path, (request, response) => {
      if (request.query.has("continue")) return fail(410, { reason: "Expired" })(request, response);
      response.end(JSON.stringify({ metadata: { continue: "more" }, items: [pod("a", {})] }));
    });
    const peers = await open();
    await expect(peers.listPeers()).rejects.toMatchObject({ code: "SCALER_CONFLICT" });
    await peers[Symbol.asyncDispose]();
  });

  it("need a selector: without one every pod would be a DLX", () => {
    expect(peerDiscoveryOptionsSchema.safeParse({}).success).toBe(false);
    expect(peerDiscoveryOptionsSchema.safeParse({ selector: " " }).error?.issues[0]?.message).toContain("DLX pods");
    expect(peerDiscoveryOptionsSchema.safeParse({ selector: "a=b", port: 1 }).success).toBe(false);
  });
});
