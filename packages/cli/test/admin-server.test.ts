import { connect } from "node:net";
import { isConfigError, silentLogger } from "@dormouse/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Credentials } from "../src/admin/credentials.ts";
import { type AdminServer, openAdminServer } from "../src/admin/open-admin-server.ts";
import { AdminClient } from "../src/client/admin-client.ts";
import { FakeAdminHost, scalerFailure } from "./fake-admin-host.ts";

const ref = { scaler: "local", namespace: "default", name: "hello" };

/** How long anything may take on a busy machine. */
const soon = { timeout: 20_000 };

let host: FakeAdminHost;
let credentials: Credentials;
let server: AdminServer;
let client: AdminClient;

beforeEach(async () => {
  host = new FakeAdminHost();
  credentials = new Credentials({ adminToken: undefined, adminTls: undefined });
  server = await openAdminServer({ ...common(), listen: "127.0.0.1:0" });
  client = new AdminClient({ url: `http://${server.address}` });
});

afterEach(async () => {
  await client[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

function common() {
  return { host, credentials, openMetrics: () => false, clock: host.clock, logger: silentLogger };
}

/** What a raw request is answered with, up to the end of the connection. */
function raw(text: string): Promise<string> {
  const [name = "", port] = server.address.split(":");
  return new Promise((resolve) => {
    let answer = "";
    const socket = connect(Number(port), name, () => socket.end(text));
    socket.setEncoding("utf8").on("data", (chunk: string) => (answer += chunk));
    socket.on("close", () => resolve(answer)).on("error", () => resolve(answer));
  });
}

describe("a client", () => {
  it("lists, explains, wakes and sleeps", async () => {
    expect((await client.list()).resources.map((resource) => resource.ref)).toEqual(["local/default/hello"]);
    expect(await client.why(ref)).toMatchObject({ state: "awake" });
    expect(await client.scale(ref, "sleep", { reason: "night" })).toMatchObject({ kind: "sleep", outcome: "done" });
    expect(host.asked).toEqual([{ sleep: "hello", by: "operator", reason: "night" }]);
  });

  it("hears what the host refuses, with its code", async () => {
    host.failure = scalerFailure();
    await expect(client.scale(ref, "wake", { reason: "x" })).rejects.toThrow(
      "SCALER_START_FAILED: exit code 1: no such file",
    );
  });

  it("hears that a token is needed, and how to give it", async () => {
    credentials.renew({ adminToken: "t0ken", adminTls: undefined });
    await expect(client.list()).rejects.toThrow(/needs its token: .*--token-file FILE, or as DORMOUSE_TOKEN/);
    const knowing = new AdminClient({ url: `http://${server.address}`, token: "t0ken" });
    await expect(knowing.list()).resolves.toMatchObject({ unlisted: [] });
    await knowing[Symbol.asyncDispose]();
  });

  it("follows events from the one on that it knows", async () => {
    for (const reason of ["one", "two"])
      host.journal.record({ kind: "wake", resource: "r", by: "request", reason, outcome: "done" });
    const abort = new AbortController();
    const events = client.follow("p1:1", abort.signal);
    expect((await events.next()).value).toMatchObject({ id: "p1:2", event: { reason: "two" } });
    host.journal.record({
      kind: "sleep",
      resource: "r",
      by: "autoscaler",
      reason: "drei – über UTF-8",
      outcome: "done",
    });
    expect((await events.next()).value).toMatchObject({ id: "p1:3", event: { reason: "drei – über UTF-8" } });
    abort.abort();
    await expect(events.next()).rejects.toThrow(/abort/i);
    // A reader that has gone takes no part any more; its heartbeat goes with it.
    await expect.poll(() => host.clock.pendingTimers, soon).toBe(0);
  });

  it("sees its stream end when the host stops, at once", async () => {
    const events = client.follow(undefined, new AbortController().signal);
    const next = events.next();
    await expect.poll(() => host.clock.pendingTimers, soon).toBe(1);
    await server[Symbol.asyncDispose]();
    expect((await next).done).toBe(true);
  });
});

describe("the server", () => {
  it.each([
    [
      "a head that is too long",
      `GET /healthz HTTP/1.1\r\nhost: localhost\r\nx: ${"y".repeat(20_000)}\r\n\r\n`,
      / 431 /,
    ],
    [
      "two lengths",
      "POST /v1/resources HTTP/1.1\r\nhost: localhost\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\nabc",
      / 400 /,
    ],
    ["no HTTP at all", "hello\r\n\r\n", / 400 /],
    ["no host", "GET /v1/resources HTTP/1.1\r\n\r\n", / 400 /],
    ["a host that is none", "GET /v1/resources HTTP/1.1\r\nhost: a b\r\nconnection: close\r\n\r\n", / 40[03] /],
  ])("refuses %s", async (_, text, status) => {
    expect((await raw(text)).split("\r\n")[0]).toMatch(status);
    expect(host.asked).toEqual([]);
  });

  it("says by a ConfigError that an address is taken", async () => {
    const error: unknown = await openAdminServer({ ...common(), listen: server.address }).catch(
      (reason: unknown) => reason,
    );
    expect(isConfigError(error) && error.issues).toEqual([
      {
        place: "admin.listen",
        problem: `${server.address} is in use by another process`,
        mend: "choose another port, or end the process that has it",
      },
    ]);
  });

  it("says so too for an address of no machine here", async () => {
    const opening = openAdminServer({ ...common(), listen: "192.0.2.1:0" });
    await expect(opening).rejects.toThrow("192.0.2.1:0 is no address of this machine");
  });

  it("closes although a client keeps its connection open", async () => {
    await client.list();
    await server[Symbol.asyncDispose]();
    await expect(client.list()).rejects.toThrow(/no host answers at/);
  });
});
