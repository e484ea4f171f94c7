import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger, systemClock } from "@dormouse/core";
import { request } from "undici";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Credentials } from "../src/admin/credentials.ts";
import { type AdminServer, openAdminServer } from "../src/admin/open-admin-server.ts";
import { FakeAdminHost } from "./fake-admin-host.ts";
import { type Bin, endBins, runBin, startBin } from "./run-bin.ts";
import { untilLogged } from "./run-host.ts";

vi.setConfig({ testTimeout: 120_000 });

let folder: string;
let server: AdminServer | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dormouse-split-"));
});

afterEach(async () => {
  await endBins();
  await server?.[Symbol.asyncDispose]();
  server = undefined;
  await rm(folder, { recursive: true, force: true });
});

const scalers = "scalers: [{ use: process, id: local, options: { resources: [{ name: a, command: [node, a.mjs] }] } }]";

function write(...lines: readonly string[]): Promise<void> {
  return writeFile(join(folder, "dormouse.yaml"), [scalers, ...lines].join("\n"));
}

/** A DLX of another process, as far as others can tell, with the token `two`. */
async function serveDlx(): Promise<string> {
  const credentials = new Credentials({ adminToken: "two", adminTls: undefined });
  const common = { host: new FakeAdminHost(), clock: systemClock, logger: silentLogger, openMetrics: () => false };
  server = await openAdminServer({ ...common, credentials, listen: "127.0.0.1:0" });
  return `http://${server.address}`;
}

async function ask(bin: Bin, path: string, token: string): Promise<Readonly<Record<string, unknown>>> {
  const { admin } = await untilLogged(bin, "ready");
  const answer = await request(`http://${String(admin)}${path}`, { headers: { authorization: `Bearer ${token}` } });
  return (await answer.body.json()) as Readonly<Record<string, unknown>>;
}

describe("a host of a kind that the configuration is not for", () => {
  it("does not start without a peer discovery, and says what to write", async () => {
    await write();
    for (const role of ["dlx", "autoscaler"]) {
      const { code, stderr } = await runBin([role], { folder });
      expect(code).toBe(2);
      expect(stderr).toMatch(/^error: dormouse\.yaml:1:1: cluster\.peers: is missing, .* use: static/);
    }
  });

  it("does not start as a DLX that does not know its own entry", async () => {
    await write("cluster: { peers: { use: static, options: { dlxs: [{ id: a, url: 'http://127.0.0.1:1' }] } } }");
    const { code, stderr } = await runBin(["dlx"], { folder });
    expect(code).toBe(2);
    expect(stderr).toContain("cluster.peers.options.self: is missing");
    expect(stderr).toContain("--set cluster.peers.options.self=a");
  });

  it("does not start in one process with a peer discovery, and `check` says what is wrong with that", async () => {
    await write("cluster: { peers: { use: static, options: { dlxs: [{ id: a, url: nonsense }] } } }");
    const up = await runBin(["up"], { folder });
    expect([up.code, up.stderr]).toEqual([2, expect.stringContaining("run `dormouse dlx` and `dormouse autoscaler`")]);
    const check = await runBin(["check"], { folder });
    expect([check.code, check.stderr]).toEqual([
      2,
      expect.stringMatching(/cluster\.peers\.options\.dlxs\[0\]\.url: is no URL/),
    ]);
  });

  it("is not half a cluster: a leader elector alone is refused by `check`", async () => {
    await write("cluster: { leader: { use: ./leader.mjs } }");
    const { code, stderr } = await runBin(["check"], { folder });
    expect([code, stderr]).toEqual([2, expect.stringContaining("cluster.peers: is missing")]);
  });
});

describe("an autoscaler that runs", () => {
  it("takes in a new token for itself and for the DLXs that it asks, and says what needs a restart", async () => {
    const peers = (id: string, url: string) =>
      `cluster: { peers: { use: static, options: { dlxs: [{ id: ${id}, url: '${url}' }] } } }`;
    const url = await serveDlx();
    const admin = "admin: { listen: '127.0.0.1:0', token: { file: token } }";
    await writeFile(join(folder, "token"), "one");
    await write(admin, peers("p1", url));
    const bin = startBin(["autoscaler", "--no-watch"], { folder });
    // It asks the DLX each time anew, and gives it one second to answer.
    await expect
      .poll(() => ask(bin, "/v1/resources", "one"), { timeout: 20_000 })
      .toMatchObject({
        role: "autoscaler",
        lead: { leads: true },
        silent: [{ id: "p1", code: "SCALER_FORBIDDEN" }],
      });
    await untilLogged(
      bin,
      "no leader elector is configured (cluster.leader): this must be the only autoscaler there is",
    );
    await writeFile(join(folder, "token"), "two");
    await write(admin, peers("p2", url));
    bin.kill("SIGHUP");
    await untilLogged(bin, "config done");
    await vi.waitUntil(async () => (await ask(bin, "/v1/resources", "two"))["silent"] === undefined, {
      timeout: 20_000,
    });
    expect(await ask(bin, "/v1/resources", "two")).toMatchObject({ config: { needsRestart: ["cluster"] } });
    bin.kill("SIGTERM");
    expect(await bin.ended).toBe(0);
  });
});
