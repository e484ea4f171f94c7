import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isConfigError, silentLogger, systemClock } from "@dormouse/core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { Credentials } from "../src/admin/credentials.ts";
import { type AdminServer, openAdminServer } from "../src/admin/open-admin-server.ts";
import { AdminClient } from "../src/client/admin-client.ts";
import { PeerClients } from "../src/client/peer-clients.ts";
import { parseConfigText } from "../src/config/load-config.ts";
import { watchTlsFiles } from "../src/host/watch-tls-files.ts";
import { Authority, type Certificate, openssl } from "./certificates.ts";
import { FakeAdminHost } from "./fake-admin-host.ts";

const missing = "there is no openssl here to make certificates with; get it with: apt-get install openssl";
const ref = { scaler: "local", namespace: "default", name: "hello" };

let authority: Authority;
let stranger: Authority;
let dlx: Certificate;
let autoscaler: Certificate;
let open: AsyncDisposable[] = [];

beforeAll(async () => {
  if (openssl === undefined) return console.warn(`Skipped: ${missing}`);
  [authority, stranger] = await Promise.all([Authority.create(), Authority.create()]);
  [dlx, autoscaler] = [await authority.issue("dlx.test"), await authority.issue("autoscaler.test")];
});

afterAll(async () => {
  await authority?.[Symbol.asyncDispose]();
  await stranger?.[Symbol.asyncDispose]();
});

beforeEach((context) => {
  context.skip(openssl === undefined, missing);
});

afterEach(async () => {
  for (const each of open.toReversed()) await each[Symbol.asyncDispose]();
  open = [];
});

async function serve(credentials: Credentials): Promise<AdminServer> {
  const host = new FakeAdminHost();
  const common = { host, logger: silentLogger, clock: systemClock, openMetrics: () => false };
  const server = await openAdminServer({ ...common, credentials, listen: "127.0.0.1:0" });
  open.push(server);
  return server;
}

/** The server's DLX, as a host with these secrets reaches it. */
function connect(server: AdminServer, credentials: Credentials, serverName?: string) {
  const clients = new PeerClients({ credentials, serverName });
  open.push(clients);
  return clients.connect({ id: "p1", url: `http://${server.address}` });
}

function secrets(adminTls: Certificate | Omit<Certificate, "ca"> | undefined, adminToken?: string): Credentials {
  return new Credentials({ adminTls, adminToken });
}

describe("hosts with certificates of one authority", () => {
  it("know each other without a token, at addresses that no certificate names, also where a list says http", async () => {
    const peer = connect(await serve(secrets(dlx, "t0ken")), secrets(autoscaler));
    expect(await peer.readActivity()).toMatchObject({ process: "p1" });
    expect(await peer.fence(ref, "a1")).toMatchObject({ attempt: "a1" });
  });

  it("ask for the name that is configured", async () => {
    const server = await serve(secrets(dlx));
    expect(await connect(server, secrets(autoscaler), "dlx.test").readActivity()).toMatchObject({ process: "p1" });
    await expect(connect(server, secrets(autoscaler), "other.test").readActivity()).rejects.toMatchObject({
      code: "SCALER_UNAVAILABLE",
      message: expect.stringContaining("other.test") as string,
    });
  });

  it("take no host for theirs whose certificate another authority has signed", async () => {
    const forged = await stranger.issue("dlx.test");
    const peer = connect(await serve(secrets(forged)), secrets(autoscaler));
    await expect(peer.fence(ref, "a1")).rejects.toMatchObject({ code: "SCALER_UNAVAILABLE" });
  });

  it("refuse a caller whose certificate another authority has signed, unless it has the token", async () => {
    const forged = { ...(await stranger.issue("autoscaler.test")), ca: authority.ca };
    const server = await serve(secrets(dlx, "t0ken"));
    await expect(connect(server, secrets(forged)).readActivity()).rejects.toMatchObject({ code: "SCALER_FORBIDDEN" });
    expect(await connect(server, secrets(forged, "t0ken")).readActivity()).toMatchObject({ process: "p1" });
  });
});

describe("a caller without a certificate", () => {
  const url = (server: AdminServer): string => `https://${server.address}`;
  const client = (server: AdminServer, token?: string): AdminClient => {
    const made = new AdminClient({ url: url(server), token, tls: { ca: authority.ca } });
    open.push(made);
    return made;
  };

  it("needs the token, and none for the probes", async () => {
    const server = await serve(secrets(dlx, "t0ken"));
    await expect(client(server).list()).rejects.toThrow(/needs its token/);
    expect((await client(server, "t0ken").list()).resources).toHaveLength(1);
  });

  it("is refused where there is no token, also on this machine", async () => {
    await expect(client(await serve(secrets(dlx))).list()).rejects.toMatchObject({ code: "ADMIN_UNAUTHORIZED" });
  });

  it("needs nothing on this machine where nobody is asked for certificates", async () => {
    const { cert, key } = dlx;
    expect((await client(await serve(secrets({ cert, key }))).list()).resources).toHaveLength(1);
  });

  it("gets no answer without TLS", async () => {
    const server = await serve(secrets(dlx, "t0ken"));
    const plain = new AdminClient({ url: `http://${server.address}`, token: "t0ken" });
    open.push(plain);
    await expect(plain.list()).rejects.toThrow(/cannot be reached/);
  });
});

describe("certificates that change", () => {
  it("are used from the next connection on, at the server and at the client", async () => {
    const [theirs, ours] = [secrets(dlx), secrets(autoscaler)];
    const peer = connect(await serve(theirs), ours);
    await peer.readActivity();
    const renewed = await stranger.issue("dlx.test");
    theirs.renew({ adminTls: renewed, adminToken: undefined });
    ours.renew({ adminTls: await stranger.issue("autoscaler.test"), adminToken: undefined });
    expect(await peer.readActivity()).toMatchObject({ process: "p1" });
    const late = connect({ ...open[0], address: (open[0] as AdminServer).address } as AdminServer, secrets(autoscaler));
    await expect(late.readActivity()).rejects.toMatchObject({ code: "SCALER_UNAVAILABLE" });
  });

  it("are refused where they do not fit together; the old ones stay", async () => {
    const credentials = secrets(dlx);
    const error = attempt(() =>
      credentials.renew({ adminTls: { ...dlx, key: autoscaler.key }, adminToken: undefined }),
    );
    expect(isConfigError(error) && error.issues[0]).toMatchObject({
      place: "admin.tls",
      problem: expect.stringContaining("cannot be used for TLS") as string,
    });
    expect(credentials.tls).toEqual(dlx);
    expect(attempt(() => secrets({ cert: "nonsense", key: "nonsense", ca: dlx.ca }))).toSatisfy(isConfigError);
  });

  it("are taken in from their files once all of them have changed", async () => {
    const { folder } = authority;
    const write = (file: string, text: string): Promise<void> => writeFile(join(folder, file), text);
    await write("tls.crt", dlx.cert);
    await write("tls.key", dlx.key);
    const text =
      "{ scalers: [{ use: x }], admin: { tls: { cert: { file: tls.crt }, key: { file: tls.key }, ca: { file: ca.pem } } } }";
    const loaded = parseConfigText(text, { file: "d.yaml", path: join(folder, "d.yaml") });
    const credentials = secrets(dlx);
    const abort = new AbortController();
    const watching = watchTlsFiles(
      { loaded, environment: {}, credentials, clock: systemClock, logger: silentLogger },
      abort.signal,
    );
    const renewed = await authority.issue("dlx.test");
    await write("tls.crt", renewed.cert);
    await vi.waitUntil(() => credentials.tls?.cert === dlx.cert);
    await write("tls.key", renewed.key);
    await vi.waitUntil(() => credentials.tls?.cert === renewed.cert, { timeout: 20_000 });
    expect(credentials.tls?.key).toBe(renewed.key);
    abort.abort();
    await watching;
  });
});

function attempt(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}
