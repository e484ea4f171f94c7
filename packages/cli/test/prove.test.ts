import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Verdict } from "../src/prove/verdict.ts";
import { endBins, runBin } from "./run-bin.ts";
import { type RunningHost, startHost } from "./run-host.ts";

vi.setConfig({ testTimeout: 120_000 });

let folder: string;
const servers = new Set<Server>();
const hosts = new Set<RunningHost>();

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dormouse-prove-"));
});

afterEach(async () => {
  for (const server of servers) server.close();
  servers.clear();
  // Stopped, not killed, so that its service ends with it.
  for (const { bin } of hosts) bin.kill("SIGTERM");
  await Promise.all([...hosts].map(({ bin }) => bin.ended));
  hosts.clear();
  await endBins();
  await rm(folder, { recursive: true, force: true });
});

/** A service as text: `answer` is what it does with a request, its response and the id. */
async function host(answer: string, policy = "idleAfter: 300ms, minAwake: 0"): Promise<RunningHost> {
  const code = `
    const { appendFileSync, readFileSync } = require("node:fs");
    const ledger = ${JSON.stringify(join(folder, "ledger"))};
    let count = 0;
    require("node:http").createServer((request, response) => {
      const id = request.headers["x-request-id"] ?? "";
      if (request.url === "/ledger") return response.end(readFileSync(ledger, "utf8"));
      count += 1;
      appendFileSync(ledger, id + "\\n");
      ${answer}
    }).listen(process.env.PORT, "127.0.0.1");`;
  await writeFile(join(folder, "service.cjs"), code);
  const config = `
admin: { listen: 127.0.0.1:0 }
dlx: { listen: 127.0.0.1:0 }
autoscaler: { every: 100ms }
scalers:
  - use: process
    id: local
    options:
      resources:
        - { name: web, command: [node, ${join(folder, "service.cjs")}], policy: { hosts: [web.test], ${policy} } }
        - { name: other, command: [node, ${join(folder, "service.cjs")}], policy: { hosts: [other.test], ${policy} } }
`;
  const started = await startHost(config, { folder });
  hosts.add(started);
  return started;
}

const echoes = `response.setHeader("x-request-id", id); response.end("hi");`;
const quick = ["--cycles", "2", "--rate", "40"];

function verdictOf({ stdout }: { readonly stdout: string }): Verdict {
  return JSON.parse(stdout) as Verdict;
}

describe("dormouse prove", () => {
  it("holds for a service that sleeps and wakes, and says with which numbers", async () => {
    const { run } = await host(echoes);
    const { code, stdout, stderr } = await run("prove", "web", ...quick);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stdout).toMatch(
      /^local\/default\/web by http:\/\/127\.0\.0\.1:\d+\/ \(Host: web\.test\), ids in the header/,
    );
    expect(stdout).toMatch(/^held: each of \d+ requests ended once/m);
    expect(stdout).toMatch(/^cold\s+[1-9]\d*\s+\d+ ms/m);
    expect(stdout).toContain("unseen (no --ledger)");
    expect(stderr).toMatch(/cycle 2 of 2: asleep; requests come/);
  });

  it("forces sleeps into the traffic, compares with the service's ledger, and prints JSON", async () => {
    const { run } = await host(echoes, "idleAfter: 1h, minAwake: 0");
    const answer = await run("prove", "local/default/web", ...quick, "--force", "--ledger", "/ledger", "-o", "json");
    const verdict = verdictOf(answer);
    expect(answer.code).toBe(0);
    expect(verdict).toMatchObject({
      verdict: "held",
      resource: "local/default/web",
      lost: 0,
      swapped: 0,
      doubled: 0,
      missing: 0,
      cycles: { asked: 2, asleep: 2, woken: 2 },
      offences: [],
      reasons: [],
    });
    expect(verdict.sent).toBe(verdict.answered);
    expect(verdict.coldMs.count).toBeGreaterThan(0);
    expect(verdict.phasesMs).toHaveProperty("start");
  });

  const withLedger = ["--force", "--method", "POST", "--ledger", "/ledger", "-o", "json"];

  it.each([
    ["gives one the answer of another", `response.end(count % 9 === 0 ? id.slice(0, -7) + "9999999" : id);`, "swapped"],
    ["executes some twice", `if (count % 9 === 0) appendFileSync(ledger, id + "\\n"); response.end(id);`, "doubled"],
    ["answers some without an id", `response.end(count % 9 === 0 ? "hi" : id);`, "has no id"],
  ])("is broken by a service that %s, and names requests", async (_, answer, what) => {
    const { run } = await host(answer);
    const result = await run("prove", "web", ...quick, ...withLedger);
    const verdict = verdictOf(result);
    expect({ code: result.code, verdict: verdict.verdict }).toEqual({ code: 1, verdict: "broken" });
    expect(verdict.offences[0]?.id).toMatch(/^dormouse-prove-/);
    expect(verdict.offences[0]?.what).toContain(what);
  });

  it("holds where a service breaks off without an answer: 502 with a code is honest", async () => {
    const { run } = await host(`if (count % 9 === 0) request.socket.destroy(); else response.end(id);`);
    const result = await run("prove", "web", ...quick, ...withLedger);
    expect(result.code).toBe(0);
    expect(verdictOf(result).refused).toHaveProperty("DLX_TARGET_UNREACHABLE");
  });

  it("is broken by answers that are cut in the middle", async () => {
    const { run } = await host(
      `response.setHeader("x-request-id", id); response.writeHead(200, { "content-length": 10 }); response.write("half");
       if (count % 5 === 0) setTimeout(() => request.socket.destroy(), 20); else response.end("-whole");`,
    );
    const { code, stdout } = await run("prove", "web", ...quick, "--force");
    expect(code).toBe(1);
    expect(stdout).toMatch(/^broken: /m);
    expect(stdout).toMatch(/dormouse-prove-\S+ lost: /);
  });

  it("proves nothing where the resource does not sleep in time", async () => {
    const { run } = await host(echoes, "idleAfter: 1h");
    const { code, stdout } = await run("prove", "web", ...quick, "--patience", "1s");
    expect(code).toBe(1);
    expect(stdout).toMatch(/^unproven: /m);
    expect(stdout).toContain("give more of it, or use --force");
  });

  it("refuses a service that does not echo, and says three ways to tell it where", async () => {
    const { run } = await host(`response.end("hi");`);
    const { code, stdout, stderr } = await run("prove", "web");
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("the service does not echo ids");
    for (const way of [
      'response.setHeader("X-Request-Id"',
      "--echo header:NAME",
      "--path '/echo?id={id}'",
      "--echo none",
    ])
      expect(stderr).toContain(way);
    const weaker = await run("prove", "web", ...quick, "--force", "--echo", "none");
    expect(weaker.code).toBe(0);
    expect(weaker.stdout).toContain("unseen (--echo none)");
  });

  it("takes an id from a JSON field, and from a URL that the service repeats", async () => {
    const { run } = await host(`response.end(JSON.stringify({ a: { order: id }, url: request.url }));`);
    expect((await run("prove", "web", ...quick, "--force", "--echo", "json:a.order")).code).toBe(0);
    expect((await run("prove", "web", ...quick, "--force", "--path", "/x?id={id}", "--echo", "json:url")).code).toBe(0);
  });

  it("refuses targets that are not the resource's: another server, another resource, no route, nobody", async () => {
    const { run } = await host(echoes);
    const foreign = createServer((_, response) => void response.end("hello"));
    servers.add(foreign);
    await new Promise<void>((resolve) => foreign.listen(0, "127.0.0.1", resolve));
    const { port } = foreign.address() as { port: number };
    const cases: [readonly string[], string][] = [
      [["--to", `http://127.0.0.1:${String(port)}`], "is no Dormouse DLX"],
      [["--host", "other.test"], "leads to another resource than local/default/web"],
      [["--host", "nobody.test"], "has no route"],
      [["--to", "http://127.0.0.1:1"], "nobody answers at http://127.0.0.1:1"],
    ];
    for (const [flags, message] of cases) {
      const { code, stderr } = await run("prove", "web", ...flags);
      expect({ flags, code }).toEqual({ flags, code: 2 });
      expect(stderr).toContain(message);
    }
    const { code, stderr } = await run("prove", "nothing");
    expect(code).toBe(2);
    expect(stderr).toContain('there is no resource "nothing"');
  });

  it.each([
    [["--cycles", "0"], "--cycles"],
    [["--rate", "fast"], "--rate"],
    [["--rate", "100000"], "1000 at most"],
    [["--echo", "somewhere"], "header:NAME"],
    [["--header", "broken"], '"NAME: VALUE"'],
    [["--timeout", "soon"], "for example 30s"],
    [["--ledger", "orders.txt"], "--ledger"],
    [["--method", "BREW"], "GET, POST"],
    [["--admin", "http://127.0.0.1:1"], "127.0.0.1:1"],
  ])("ends with 2 for %j", async (flags, message) => {
    const { code, stderr } = await runBin(["prove", "web", ...flags], { folder });
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });
});
