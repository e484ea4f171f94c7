import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { freePort } from "@dormouse/core/testing";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { endBins, processesWith, runBin, startBin } from "./run-bin.ts";
import { server, startHost, untilLogged } from "./run-host.ts";

const bin = fileURLToPath(new URL("../src/bin.ts", import.meta.url));

/** How long anything may take on a busy machine. */
const soon = { timeout: 20_000 };

vi.setConfig({ testTimeout: 120_000 });

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dormouse-up-"));
});

afterEach(async () => {
  await endBins();
  await rm(folder, { recursive: true, force: true });
});

const anywhere = "admin: { listen: 127.0.0.1:0 }\ndlx: { listen: 127.0.0.1:0 }\nautoscaler: { every: 200ms }\n";

function scalers(...resources: readonly string[]): string {
  return `${anywhere}scalers:\n  - use: process\n    id: local\n    options:\n      resources:\n${resources.map((line) => `        - ${line}\n`).join("")}`;
}

/** A scaler without resources. */
const emptyPlugin = `export const scaler = {
  contract: 1, kind: "scaler", name: "empty",
  options: { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) } },
  create: async () => ({
    capabilities: { replicas: "one", watch: false, routing: false, compareAndSet: true, settleWithinMs: 0 },
    listResources: async () => [], getResource: async () => {}, setScale: async () => ({ version: "1" }),
    resolveTargets: async () => [], [Symbol.asyncDispose]: async () => {},
  }),
};`;

describe("dormouse up", () => {
  it("runs what init wrote: wakes on a request, explains itself, sleeps when asked, and leaves nothing behind", async () => {
    await runBin(["init"], { folder });
    const yaml = (await readFile(join(folder, "dormouse.yaml"), "utf8"))
      .replaceAll(/127\.0\.0\.1:808\d/g, "127.0.0.1:0")
      .replace("a dormouse", folder)
      .replace("idleAfter: 30s", "idleAfter: 10m");
    const host = await startHost(yaml, { folder });
    expect(await host.ask("/readyz")).toMatchObject({ status: 200 });

    const cold = await host.get("hello.localhost");
    expect(cold).toMatchObject({
      status: 200,
      body: `Hello from ${folder}\n`,
      headers: { "x-dormouse-cold-start": "true" },
    });
    expect(cold.headers["server-timing"]).toMatch(/wake-start;dur=/);
    expect(await host.get("hello.localhost")).toMatchObject({ headers: { "x-dormouse-cold-start": "false" } });

    expect((await host.run("ls")).stdout).toMatch(/^RESOURCE .*\nlocal\/default\/hello +awake +1\/1 +0 +0 /);
    await expect
      .poll(async () => (await host.run("why", "hello")).stdout, soon)
      .toMatch(/next +sleeps in [\d.]+ min if nobody comes/);
    const why = await host.run("why", "hello");
    expect(why.stdout).toMatch(/^local\/default\/hello is awake, for .*\(request: /);
    expect(why.stdout).toMatch(/last wake +done in .*claim .*start/);

    const slept = await host.run("sleep", "hello", "--reason", "for the test");
    expect([slept.code, slept.stdout]).toEqual([0, expect.stringMatching(/^local\/default\/hello is asleep in /)]);
    expect((await host.run("why", "local/hello")).stdout).toMatch(/is asleep, for .*operator: for the test/);
    expect((await host.run("wake", "hello")).stdout).toMatch(/^local\/default\/hello is awake in /);
    expect((await host.run("wake", "hello")).stdout).toBe("local/default/hello was awake already\n");

    const events = (await host.run("events", "-o", "json")).stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { kind: string; by: string });
    expect(events.map(({ kind, by }) => `${kind} by ${by}`)).toEqual([
      "wake by request",
      "sleep by operator",
      "wake by operator",
    ]);

    host.bin.kill("SIGTERM");
    expect(await host.bin.ended).toBe(0);
    expect(await processesWith(`Hello from ${folder}`)).toEqual([]);
  });

  it("puts an idle service to sleep by itself, and its process is gone", async () => {
    const command = server(`a ${folder}`, { answersWith: join(folder, "answer") });
    const host = await startHost(
      scalers(`{ name: a, command: ${command}, policy: { hosts: [a.test], idleAfter: 300ms, minAwake: 0 } }`),
      { folder },
    );
    const answer = host.get("a.test");
    await expect.poll(() => processesWith(`a ${folder}`), soon).toHaveLength(1);
    await writeFile(join(folder, "answer"), "");
    expect(await answer).toMatchObject({ status: 200 });
    expect(await untilLogged(host.bin, "sleep done")).toMatchObject({
      resource: "local/default/a",
      by: "autoscaler",
      from: 1,
      to: 0,
    });
    await expect.poll(() => processesWith(`a ${folder}`), soon).toEqual([]);
    expect(await host.get("a.test")).toMatchObject({ status: 200, headers: { "x-dormouse-cold-start": "true" } });
  });

  it("takes relative paths from the folder of its file, wherever it is started", async () => {
    await mkdir(join(folder, "sub"));
    await writeFile(
      join(folder, "sub", "server.mjs"),
      'import { createServer } from "node:http"; createServer((q, r) => r.end("relative")).listen(process.env.PORT);',
    );
    await writeFile(
      join(folder, "sub", "d.yaml"),
      scalers("{ name: a, command: [node, server.mjs], policy: { hosts: [a.test] } }"),
    );
    const host = await startHost("", { folder }, "-c", "sub/d.yaml");
    expect(await host.get("a.test")).toMatchObject({ status: 200, body: "relative" });
    expect(await runBin(["check", "-c", "sub/d.yaml"], { folder })).toMatchObject({ code: 0 });
  });

  it("puts flags above the environment above the file", async () => {
    const environment = { DORMOUSE_LOG_LEVEL: "warn", DORMOUSE_DEFAULTS_IDLE_AFTER: "7s" };
    await writeFile(
      join(folder, "d.yaml"),
      `${scalers("{ name: a, command: [node] }")}log: { level: error, format: json }\ndefaults: { idleAfter: 9s }\n`,
    );
    const printed = async (...args: string[]) =>
      (await runBin(["check", "-c", "d.yaml", "--print", ...args], { folder, environment })).stdout;
    expect(await printed()).toMatch(/level: warn[^]*format: json/);
    expect(await printed("--log-level", "debug", "--set", "defaults.idleAfter=5s")).toMatch(
      /idleAfter: 5s[^]*level: debug/,
    );
  });
});

describe("dormouse events --follow", () => {
  it("prints what was and what comes, waits for a host that restarts, and ends with Ctrl-C", async () => {
    const yaml = scalers(`{ name: a, command: ${server("a")}, policy: { hosts: [a.test] } }`);
    const listen = ["--admin-listen", `127.0.0.1:${await freePort()}`];
    const host = await startHost(yaml, { folder }, ...listen);
    await host.get("a.test");
    const follow = startBin(["events", "--follow", "-o", "json", "--admin", host.admin], { folder });
    const kinds = (): string[] =>
      follow
        .stdout()
        .split("\n")
        .slice(0, -1)
        .map((line) => (JSON.parse(line) as { kind: string }).kind);
    await expect.poll(kinds, soon).toEqual(["wake"]);
    await host.run("sleep", "a");
    await expect.poll(kinds, soon).toEqual(["wake", "sleep"]);
    host.bin.kill("SIGTERM");
    await host.bin.ended;
    await expect
      .poll(() => follow.stderr(), soon)
      .toBe("the stream of events has ended; waiting for the host to come back\n");
    const again = await startHost(yaml, { folder }, ...listen);
    await again.get("a.test");
    await expect.poll(kinds, soon).toEqual(["wake", "sleep", "wake"]);
    follow.kill("SIGINT");
    expect(await follow.ended).toBe(0);
  });

  it("ends quietly when nobody reads any more, and so does every other command", async () => {
    const host = await startHost(scalers(`{ name: a, command: ${server("a")}, policy: { hosts: [a.test] } }`), {
      folder,
    });
    await host.get("a.test");
    const dormouse = `"${process.execPath}" --conditions=@dormouse/source "${bin}"`;
    for (const [command, reader] of [
      ["ls", "true"],
      ["events --follow", "head -1 > /dev/null"],
    ]) {
      const script = `${dormouse} ${command} --admin ${host.admin} | ${reader}; echo "\${PIPESTATUS[0]}"`;
      const running = promisify(execFile)("bash", ["-c", script], { cwd: folder });
      let hasEnded = false;
      void running.finally(() => (hasEnded = true));
      // Nobody is told that a reader has gone before something is written.
      while (!hasEnded) for (const order of ["sleep", "wake"]) await host.run(order, "a");
      const { stdout, stderr } = await running;
      expect([command, stdout, stderr]).toEqual([command, "0\n", ""]);
    }
  });

  it("tells what keeps a resource awake that should sleep, with exit code 1", async () => {
    const command = server("a", { answersWith: join(folder, "answer") });
    const host = await startHost(scalers(`{ name: a, command: ${command}, policy: { hosts: [a.test] } }`), { folder });
    const answer = host.get("a.test");
    await expect.poll(async () => (await host.ask("/v1/resources")).body, soon).toContain('"inFlight":1');
    const { code, stdout } = await host.run("sleep", "a");
    expect([code, stdout]).toEqual([1, expect.stringMatching(/^local\/default\/a stays as it is: .*in flight/i)]);
    expect((await host.run("why", "a")).stdout).toMatch(/next +stays as it is: they have to end/);
    await writeFile(join(folder, "answer"), "");
    expect((await answer).status).toBe(200);
  });
});

describe("a stop", () => {
  it("says not ready, finishes what is held, then ends with exit code 0", async () => {
    const host = await startHost(
      scalers(`{ name: slow, command: ${server("slow", { startMs: 4_000 })}, policy: { hosts: [slow.test] } }`),
      { folder },
      "--set",
      "dlx.stopGrace=300ms",
    );
    const held = host.get("slow.test");
    await expect.poll(async () => (await host.ask("/v1/resources")).body, soon).toContain('"held":1');
    host.bin.kill("SIGTERM");
    await expect.poll(async () => (await host.ask("/readyz")).status, soon).toBe(503);
    expect(await held).toMatchObject({ status: 200, body: "slow" });
    expect(await host.bin.ended).toBe(0);
    expect(host.log().at(-1)?.msg).toBe("stopped");
  });

  it("ends at once with a second signal, and still leaves no process behind", async () => {
    const host = await startHost(
      scalers(
        `{ name: never, command: ${server(`never ${folder}`, { startMs: 100_000 })}, policy: { hosts: [never.test] } }`,
      ),
      { folder },
    );
    const held = host.get("never.test").catch(() => "cut");
    await expect.poll(() => processesWith(`never ${folder}`), soon).toHaveLength(1);
    host.bin.kill("SIGTERM");
    await untilLogged(host.bin, "stopping; once more stops at once");
    host.bin.kill("SIGINT");
    expect(await host.bin.ended).toBe(1);
    expect(await held).toBe("cut");
    await expect.poll(() => processesWith(`never ${folder}`), soon).toEqual([]);
  });

  it("that is asked for while it still starts comes right after the start", async () => {
    await writeFile(
      join(folder, "d.yaml"),
      `${scalers(`{ name: a, command: ${server(`a ${folder}`)} }`)}  - use: ./slow.mjs\n`,
    );
    await writeFile(
      join(folder, "slow.mjs"),
      'process.stdout.write("loading\\n"); await new Promise((resolve) => setTimeout(resolve, 1_000)); export { scaler } from "./inner.mjs";',
    );
    await writeFile(join(folder, "inner.mjs"), emptyPlugin);
    const bin = startBin(["up", "-c", "d.yaml"], { folder });
    await expect.poll(() => bin.stdout(), soon).toContain("loading");
    bin.kill("SIGINT");
    expect(await bin.ended).toBe(0);
    expect(bin.stdout()).toContain("stopped");
    expect(await processesWith(folder)).toEqual([]);
  });

  it("by a fault that nothing caught is logged, ends the children and has exit code 1", async () => {
    await writeFile(
      join(folder, "faulty.mjs"),
      'process.on("SIGUSR2", () => { throw new Error("nobody catches this"); }); export * from "./inner.mjs";',
    );
    await writeFile(join(folder, "inner.mjs"), emptyPlugin);
    const yaml = `${scalers(`{ name: a, command: ${server(`a ${folder}`)}, policy: { hosts: [a.test] } }`)}  - use: ./faulty.mjs\n`;
    const host = await startHost(yaml, { folder });
    await host.get("a.test");
    host.bin.kill("SIGUSR2");
    expect(await host.bin.ended).toBe(1);
    const fatal = host.log().find(({ level }) => level === "fatal");
    expect(fatal).toMatchObject({ error: { message: "nobody catches this" } });
    await expect.poll(() => processesWith(`a ${folder}`), soon).toEqual([]);
  });
});
