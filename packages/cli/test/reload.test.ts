import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { createServer as createHttp } from "node:http";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePort } from "@dormouse/core/testing";
import { request } from "undici";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { endBins, processesWith } from "./run-bin.ts";
import { type RunningHost, server, startHost, untilLogged } from "./run-host.ts";

/** How long anything may take on a busy machine. */
const soon = { timeout: 20_000 };

vi.setConfig({ testTimeout: 120_000 });

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dormouse-reload-"));
});

afterEach(async () => {
  await endBins();
  await rm(folder, { recursive: true, force: true });
});

const anywhere = "admin: { listen: 127.0.0.1:0 }\ndlx: { listen: 127.0.0.1:0 }\nautoscaler: { every: 200ms }\n";

function scalers(...resources: readonly string[]): string {
  return `${anywhere}scalers:\n  - use: process\n    id: local\n    options:\n      resources:\n${resources.map((line) => `        - ${line}\n`).join("")}`;
}

function resource(name: string, hosts = `${name}.test`, times = {}): string {
  return `{ name: ${name}, command: ${server(`${name} ${folder}`, times)}, policy: { hosts: [${hosts}] } }`;
}

/** Changes the file as editors do, and waits for what becomes of it. */
async function change(host: RunningHost, yaml: string, message = "config done"): Promise<void> {
  const before = host.log().filter(({ msg }) => msg === message).length;
  await writeFile(join(folder, "dormouse.yaml.tmp"), yaml);
  await rename(join(folder, "dormouse.yaml.tmp"), join(folder, "dormouse.yaml"));
  await untilLogged(host.bin, message, before + 1);
}

/** Asks one after the other until it is told to stop; gives all statuses. */
function steady(host: RunningHost, name: string): { stop(): Promise<readonly number[]> } {
  const statuses: number[] = [];
  let isOn = true;
  const loop = (async () => {
    while (isOn) {
      statuses.push((await host.get(name)).status);
      await delay(2);
    }
  })();
  return {
    stop: async () => {
      isOn = false;
      await loop;
      return statuses;
    },
  };
}

describe("a changed configuration", () => {
  it("adds, changes and removes resources without dropping a request of the others", async () => {
    const host = await startHost(scalers(resource("stays"), resource("goes")), { folder });
    await host.get("goes.test");
    const traffic = steady(host, "stays.test");
    await change(host, scalers(resource("stays", "stays.test, also.test"), resource("comes")));
    expect(await host.get("also.test")).toMatchObject({ status: 200 });
    expect(await host.get("comes.test")).toMatchObject({ status: 200, body: `comes ${folder}` });
    expect(await host.get("goes.test")).toMatchObject({ status: 404 });
    await expect.poll(() => processesWith(`goes ${folder}`), soon).toEqual([]);
    await change(host, `${scalers(resource("stays"))}defaults: { idleAfter: 1h, maxHeld: 7 }\n`);
    const statuses = await traffic.stop();
    expect(statuses.length).toBeGreaterThan(20);
    expect(new Set(statuses)).toEqual(new Set([200]));
    const policyOf = async (): Promise<unknown> => {
      const why = JSON.parse((await host.ask("/v1/resources/local/default/stays/why")).body) as {
        decision: { inputs: { policy: unknown } };
      };
      return why.decision.inputs.policy;
    };
    await expect.poll(policyOf, soon).toMatchObject({ idleAfter: 3_600_000, maxHeld: 7 });
  });

  it("lets a removed resource finish what it has in flight before it ends", async () => {
    const host = await startHost(scalers(resource("slow", "slow.test", { answerMs: 2_500 }), resource("other")), {
      folder,
    });
    const answer = host.get("slow.test");
    await expect
      .poll(async () => (await host.ask("/v1/resources/local/default/slow")).body, soon)
      .toContain('"inFlight":1');
    await change(host, scalers(resource("other")));
    expect((await host.get("slow.test")).status).toBe(404);
    expect(await answer).toMatchObject({ status: 200, body: `slow ${folder}` });
    await expect.poll(() => processesWith(`slow ${folder}`), soon).toEqual([]);
    expect(host.log().find(({ msg, by }) => msg === "sleep done" && by === "configuration")).toMatchObject({
      resource: "local/default/slow",
      reason: "removed from the configuration",
    });
  });

  it("moves the admin API to another address; the old one is closed then", async () => {
    const host = await startHost(scalers(resource("a")), { folder });
    const port = await freePort();
    await change(host, scalers(resource("a")).replace("listen: 127.0.0.1:0", `listen: 127.0.0.1:${port}`));
    expect((await request(`http://127.0.0.1:${port}/readyz`)).statusCode).toBe(200);
    await expect.poll(() => host.ask("/readyz").catch(() => "closed"), soon).toBe("closed");
  });

  it("moves the DLX to further addresses", async () => {
    const host = await startHost(scalers(resource("a")), { folder });
    const port = await freePort();
    await change(
      host,
      scalers(resource("a")).replace("dlx: { listen: 127.0.0.1:0 }", `dlx: { listen: [127.0.0.1:${port}] }`),
    );
    const answer = await request(`http://127.0.0.1:${port}/`, { headers: { host: "a.test" } });
    expect([answer.statusCode, await answer.body.text()]).toEqual([200, `a ${folder}`]);
  });

  it("adds and removes whole scalers", async () => {
    const host = await startHost(scalers(resource("a")), { folder });
    const second = `  - use: process\n    id: second\n    options:\n      resources:\n        - ${resource("b")}\n`;
    await change(host, scalers(resource("a")) + second);
    expect(await host.get("b.test")).toMatchObject({ status: 200 });
    await change(host, scalers(resource("a")));
    expect((await host.get("b.test")).status).toBe(404);
    await expect.poll(() => processesWith(`b ${folder}`), soon).toEqual([]);
    expect(await host.get("a.test")).toMatchObject({ status: 200 });
    expect((await host.run("ls", "-o", "json")).stdout).not.toContain("second/");
  });

  it("opens a scaler anew that cannot change, and drops no request on the way from the old instance to the new", async () => {
    const testing = fileURLToPath(new URL("../../core/src/testing.ts", import.meta.url));
    await writeFile(join(folder, "memory.mjs"), memoryPlugin(testing));
    const [one, other] = [await answering("one", 1_500), await answering("other", 0)];
    const yaml = (port: number): string =>
      `${anywhere}scalers:\n  - use: ./memory.mjs\n    id: m\n    options: { port: ${port} }\n`;
    const host = await startHost(yaml(one.port), { folder });
    expect((await host.get("m.test")).body).toBe("one");
    const last = host.get("m.test", "/slow");
    const traffic = steady(host, "m.test");
    await change(host, yaml(other.port));
    await expect.poll(async () => (await host.get("m.test")).body, soon).toBe("other");
    expect(await last).toMatchObject({ status: 200, body: "one" });
    expect(new Set(await traffic.stop())).toEqual(new Set([200]));
    one.close();
    other.close();
  });

  it("applies with SIGHUP too, new secrets included", async () => {
    await writeFile(join(folder, "token"), "first-token");
    const yaml = scalers(resource("a")).replace(
      "admin: { listen: 127.0.0.1:0 }",
      "admin: { listen: 127.0.0.1:0, token: { file: token } }",
    );
    const host = await startHost(yaml, { folder }, "--no-watch");
    const withToken = async (token: string): Promise<number> => {
      return (await request(`${host.admin}/v1/resources`, { headers: { authorization: `Bearer ${token}` } }))
        .statusCode;
    };
    expect([await withToken("first-token"), (await host.ask("/v1/resources")).status]).toEqual([200, 401]);
    expect((await host.run("ls")).code).toBe(0);
    await writeFile(join(folder, "token"), "second-token");
    host.bin.kill("SIGHUP");
    await untilLogged(host.bin, "config done");
    expect([await withToken("first-token"), await withToken("second-token")]).toEqual([401, 200]);
    expect(host.bin.stdout()).not.toMatch(/first-token|second-token/);
  });

  it("names what counts from the next start on only", async () => {
    const host = await startHost(scalers(resource("a")), { folder });
    await change(host, `${scalers(resource("a"))}telemetry: { maxSeries: 50 }\n`);
    expect((await host.run("why", "a")).stdout).toContain("changes of telemetry count from the next start on");
  });
});

describe("a changed configuration that is wrong", () => {
  it("is refused and named, in the log, by ls, why and a metric; the old one stays wholly", async () => {
    const host = await startHost(scalers(resource("a")), { folder });
    await change(
      host,
      scalers(resource("a", "new.test"), resource("b")).replace("every: 200ms", "every: soon"),
      "config refused",
    );
    const problem = /dormouse\.yaml:3:15: autoscaler\.every: "soon" is no duration/;
    expect(host.log().find(({ level }) => level === "error")?.["problem"]).toMatch(problem);
    expect((await host.run("ls")).stdout).toMatch(problem);
    expect((await host.run("why", "a")).stdout).toMatch(problem);
    expect((await host.run("events")).stdout).toMatch(problem);
    const metrics = (await host.ask("/metrics")).body;
    expect(metrics).toContain("dormouse_config_refused 1");
    expect(metrics).toContain('dormouse_config_reloads_total{outcome="refused"} 1');
    expect([
      (await host.get("a.test")).status,
      (await host.get("new.test")).status,
      (await host.get("b.test")).status,
    ]).toEqual([200, 404, 404]);
    await change(host, scalers(resource("a")));
    expect((await host.ask("/metrics")).body).toContain("dormouse_config_refused 0");
    expect((await host.run("ls")).stdout).not.toMatch(problem);
  });

  it("in a plugin's options is refused just so, and what was applied before is taken back", async () => {
    const host = await startHost(scalers(resource("a")), { folder });
    const wrong = `  - use: process\n    id: second\n    options:\n      resources:\n        - { name: b, command: [no-such-program] }\n`;
    await change(host, scalers(resource("a", "new.test")) + wrong, "config refused");
    expect([(await host.get("a.test")).status, (await host.get("new.test")).status]).toEqual([200, 404]);
  });

  it("in one of two scalers changes nothing in the other, not even for a moment", async () => {
    const second = (command: string): string =>
      `  - use: process\n    id: second\n    options:\n      resources:\n        - { name: b, command: ${command} }\n`;
    const host = await startHost(scalers(resource("a"), resource("other")) + second("[node]"), { folder });
    const traffic = steady(host, "a.test");
    await change(host, scalers(resource("other")) + second("[no-such-program]"), "config refused");
    expect(host.log().find(({ level }) => level === "error")?.["problem"]).toMatch(
      /scalers\[1\]\.options\.resources\[0\]\.command/,
    );
    const statuses = await traffic.stop();
    expect(statuses.length).toBeGreaterThan(5);
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(await processesWith(`a ${folder}`)).toHaveLength(1);
  });

  it("that needs a port which somebody else has is taken back wholly, with no request lost", async () => {
    const occupied = await listen();
    const { port } = occupied.address() as { port: number };
    const host = await startHost(scalers(resource("a")), { folder });
    const traffic = steady(host, "a.test");
    await change(
      host,
      scalers(resource("a", "a.test, new.test"), resource("b")).replace(
        "dlx: { listen: 127.0.0.1:0 }",
        `dlx: { listen: 127.0.0.1:${port} }`,
      ),
      "config refused",
    );
    occupied.close();
    expect((await host.get("new.test")).status).toBe(404);
    expect((await host.get("b.test")).status).toBe(404);
    expect(new Set(await traffic.stop())).toEqual(new Set([200]));
    expect(host.log().find(({ level }) => level === "error")?.["problem"]).toMatch(
      /dormouse\.yaml:2:8: dlx\.listen: .* is taken/,
    );
  });

  it("that is no YAML, or empty, or gone changes nothing", async () => {
    const host = await startHost(scalers(resource("a")), { folder });
    await change(host, "scalers: [", "config refused");
    await change(host, "", "config refused");
    await rm(join(folder, "dormouse.yaml"));
    host.bin.kill("SIGHUP");
    await untilLogged(host.bin, "the configuration file cannot be read; the old one stays");
    expect((await host.get("a.test")).status).toBe(200);
  });
});

/** A scaler of one resource in memory, whose instances all listen on one port; it cannot be reconfigured. */
function memoryPlugin(testing: string): string {
  return `import { MemoryScaler } from ${JSON.stringify(testing)};
    export const scaler = {
      contract: 1, kind: "scaler", name: "memory",
      options: { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) } },
      create: async ({ port }, { clock }) => new MemoryScaler({
        clock, resources: [{ name: "m", policy: { hosts: ["m.test"], enabled: true } }], addressOf: () => ({ host: "127.0.0.1", port }),
      }),
    };`;
}

/** A server that answers with its name; below /slow after a while. */
async function answering(name: string, slowMs: number): Promise<{ readonly port: number; close(): void }> {
  const http = createHttp(
    (asked, response) => void setTimeout(() => response.end(name), asked.url === "/slow" ? slowMs : 0),
  );
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  return { port: (http.address() as { port: number }).port, close: () => void http.close() };
}

async function listen(): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}
