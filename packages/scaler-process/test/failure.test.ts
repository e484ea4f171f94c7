import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { isConfigError } from "@dormouse/core";
import { describe, expect, it } from "vitest";
import {
  allEnded,
  ask,
  eventually,
  listen,
  node,
  only,
  openTestScaler,
  refOf,
  resourceWhen,
  temporaryFolder,
  type TestScaler,
  wake,
} from "./test-scaler.ts";

/** Wakes a resource that cannot start, and resolves with what is said of it. */
async function failureOf(test: TestScaler, name = "broken"): Promise<{ code: string; message: string }> {
  await test.scaler.setScale(refOf(name), 1);
  const { failure } = await resourceWhen(test, name, (resource) => resource.failure !== undefined);
  return failure!;
}

async function program(mode: number): Promise<string> {
  const file = join(await temporaryFolder(), "server.sh");
  await writeFile(file, "#!/bin/sh\n", { mode });
  return file;
}

const script = (text: string): string[] => [process.execPath, "-e", text];

describe("options that cannot work", () => {
  it.each([
    [
      "a command that does not exist",
      { command: ["dormouse-no-such-command"] },
      /command\[0\]: "dormouse-no-such-command" was not found; check/,
    ],
    [
      "one that is not on the configured PATH",
      { command: ["node"], env: { PATH: "/nowhere" } },
      /command\[0\]: "node" was not found/,
    ],
    [
      "a path that does not exist",
      { command: ["./server"], cwd: "/" },
      /command\[0\]: ".\/server" was not found; paths begin at \/$/,
    ],
    ["a folder as command", { command: ["/usr"] }, /command\[0\]: "\/usr" was not found/],
    [
      "a working directory that does not exist",
      { command: ["node"], cwd: "/no/such" },
      /cwd: is no folder: \/no\/such; create/,
    ],
  ])("are refused with their place: %s", async (_, broken, message) => {
    const opening = openTestScaler([
      { name: "fine", command: node("server.ts") },
      { name: "broken", ...broken },
    ]);
    await expect(opening).rejects.toSatisfy(isConfigError);
    await expect(opening).rejects.toThrow(message);
    await expect(opening).rejects.toThrow("resources[1].");
  });

  it("are refused where the file may not be run", async () => {
    const opening = openTestScaler([{ name: "broken", command: [await program(0o644)] }]);
    await expect(opening).rejects.toThrow(/command\[0\]: may not be run: .*server.sh; make it executable/);
  });

  it("are named all at once", async () => {
    const policy = { idleAfter: "soon" };
    const opening = openTestScaler([
      { name: "a", command: ["dormouse-none"], policy },
      { name: "b", command: ["node"], cwd: "/none" },
    ]);
    await expect(opening).rejects.toMatchObject({ issues: { length: 3 } });
  });

  it("are no others: programs are found on the configured PATH, or from the working directory", async () => {
    const file = await program(0o755);
    const byPath = { name: "path", command: ["server.sh"], env: { PATH: dirname(file) } };
    const byFolder = { name: "folder", command: ["./server.sh"], cwd: dirname(file) };
    expect(await (await openTestScaler([byPath, byFolder])).scaler.listResources()).toHaveLength(2);
  });
});

describe("a start that fails", () => {
  it("tells exit code and last lines on stderr, bounded", async () => {
    const text = `for (let n = 1; n <= 100; n += 1) console.error("line " + n); process.exitCode = 7;`;
    const test = await openTestScaler([{ name: "broken", command: script(text) }]);
    const failure = await failureOf(test);
    expect(failure.code).toBe("SCALER_START_FAILED");
    expect(failure.message).toContain("ended with exit code 7 before it accepted a connection");
    expect(failure.message.split("\n")).toHaveLength(21);
    expect(failure.message).toContain("  line 81\n");
    expect(failure.message).toMatch(/ {2}line 100$/);
  });

  it("tells the signal, and that nothing was written", async () => {
    const command = script("process.kill(process.pid, 'SIGKILL')");
    const test = await openTestScaler([{ name: "broken", command }]);
    const { message } = await failureOf(test);
    expect(message).toMatch(/ended with signal SIGKILL before .*; it wrote nothing to stderr$/);
  });

  it("keeps a huge line on stderr to 4 KiB", async () => {
    const command = script("process.stderr.write('y'.repeat(1_000_000), () => process.exit(1))");
    const test = await openTestScaler([{ name: "broken", command }]);
    const { message } = await failureOf(test);
    expect(message).toContain("yyyy");
    expect(message.length).toBeLessThan(5_000);
  });

  it("says of a program that goes to the background what to do", async () => {
    const daemon = "require('child_process').spawn('sleep', ['60'], { detached: true, stdio: 'ignore' }).unref()";
    const test = await openTestScaler([{ name: "broken", command: script(daemon), stopGrace: "1s" }]);
    expect((await failureOf(test)).message).toContain("must be told to stay in the foreground");
  });

  it("names a command that does not exist any more", async () => {
    const file = await program(0o755);
    const test = await openTestScaler([{ name: "broken", command: [file] }]);
    await rm(file);
    const failure = await failureOf(test);
    expect(failure).toMatchObject({ code: "SCALER_START_FAILED" });
    expect(failure.message).toContain(`the command "${file}" was not found`);
  });

  it("names a file that may not be run any more", async () => {
    const file = await program(0o755);
    const test = await openTestScaler([{ name: "broken", command: [file] }]);
    await chmod(file, 0o644);
    expect((await failureOf(test)).message).toContain("may not be run: make the file executable");
  });

  it("names a working directory that does not exist any more", async () => {
    const cwd = await mkdtemp(join(tmpdir(), "dormouse-cwd-"));
    const test = await openTestScaler([{ name: "broken", command: node("server.ts"), cwd }]);
    await rm(cwd, { recursive: true });
    expect((await failureOf(test)).message).toContain(`working directory "${cwd}" does not exist`);
  });

  it.each(["127.0.0.1", "::1", "0.0.0.0", "::"])("never dials a stranger on its fixed port at %s", async (address) => {
    const { port, server } = await listen(address);
    const test = await openTestScaler([{ name: "broken", command: node("server.ts"), port }]);
    const failure = await failureOf(test);
    expect(failure).toMatchObject({ code: "SCALER_START_FAILED" });
    expect(failure.message).toContain(`port ${port} is taken by another process`);
    expect(await test.scaler.resolveTargets(refOf("broken"), undefined)).toEqual([]);
    await new Promise((resolve) => void server.close(resolve));
    expect(only(await wake(test, "broken")).port).toBe(port);
  });

  it("is tried again by itself, and at once by a new wake, which forgets the failure", async () => {
    const file = join(await temporaryFolder(), "server.cjs");
    const test = await openTestScaler([{ name: "broken", command: [process.execPath, file] }]);
    expect((await failureOf(test)).message).toContain("Cannot find module");
    const { version } = await test.scaler.setScale(refOf("broken"), 1);
    expect(await test.scaler.getResource(refOf("broken"))).not.toHaveProperty("failure");
    await failureOf(test);
    await writeFile(file, "require('http').createServer((_, r) => r.end('up')).listen(process.env.PORT)");
    const mended = await resourceWhen(test, "broken", ({ ready }) => ready === 1);
    expect(mended).not.toHaveProperty("failure");
    expect(mended.version).not.toBe(version);
  });

  it("is forgotten by a sleep", async () => {
    const test = await openTestScaler([{ name: "broken", command: script("process.exit(1)") }]);
    await failureOf(test);
    await test.scaler.setScale(refOf("broken"), 0);
    expect(await test.scaler.getResource(refOf("broken"))).not.toHaveProperty("failure");
  });

  it("is no failure of the resource while another replica may start", async () => {
    const folder = await temporaryFolder();
    const lock = `require("fs").mkdirSync(${JSON.stringify(join(folder, "lock"))});`;
    const serve = "require('http').createServer((_, r) => r.end('up')).listen(process.env.PORT);";
    const test = await openTestScaler([{ name: "half", command: script(lock + serve) }]);
    await test.scaler.setScale(refOf("half"), 2);
    const half = await resourceWhen(test, "half", ({ ready }) => ready === 1);
    expect(half).not.toHaveProperty("failure");
    expect(await test.scaler.resolveTargets(refOf("half"), undefined)).not.toHaveLength(0);
  });
});

describe("an automatic port that somebody was faster to take", () => {
  it("is exchanged for another one without a failure", async () => {
    const folder = await temporaryFolder();
    // Says of its first two ports what a server says whose port is not free.
    const text = `
      const { existsSync, writeFileSync } = require("fs");
      const round = [1, 2].find((n) => !existsSync(${JSON.stringify(folder)} + "/" + n));
      if (round !== undefined) {
        writeFileSync(${JSON.stringify(folder)} + "/" + round, process.env.PORT);
        throw new Error("listen EADDRINUSE: address already in use :::" + process.env.PORT);
      }
      require("http").createServer((_, r) => r.end("up")).listen(process.env.PORT);`;
    const test = await openTestScaler([{ name: "unlucky", command: script(text) }]);
    const seen: unknown[] = [];
    const abort = new AbortController();
    const watching = (async () => {
      for await (const change of test.scaler.watchResources!({ signal: abort.signal })) {
        if (change.kind === "set") seen.push(change.resource.failure);
      }
    })();
    await wake(test, "unlucky");
    abort.abort();
    await watching;
    expect(seen).not.toHaveLength(0);
    expect(seen.every((failure) => failure === undefined)).toBe(true);
  });

  it("is a failure where it never works", async () => {
    const command = script(`throw new Error("listen EADDRINUSE: address already in use :::8080")`);
    const test = await openTestScaler([{ name: "broken", command }]);
    expect((await failureOf(test)).message).toContain("EADDRINUSE: address already in use :::8080");
  });
});

describe("a process that was ready and dies", () => {
  it("is started again without being called a failure", async () => {
    const test = await openTestScaler([{ name: "hello", command: node("server.ts") }]);
    const first = only(await wake(test, "hello"));
    const { version } = (await test.scaler.getResource(refOf("hello")))!;
    await ask(first, "/die").catch(() => {});
    await eventually(async () => {
      const target = only(await test.scaler.resolveTargets(refOf("hello"), undefined));
      expect(target.id).not.toBe(first.id);
    });
    const after = await resourceWhen(test, "hello", ({ ready }) => ready === 1);
    expect(after).toMatchObject({ version, desired: 1 });
    expect(after).not.toHaveProperty("failure");
  });

  it("is a crash loop when it does so over and over", async () => {
    const text = `require("net").createServer(() => setTimeout(() => process.exit(9), 20)).listen(process.env.PORT)`;
    const test = await openTestScaler([{ name: "broken", command: script(text) }]);
    const failure = await failureOf(test);
    expect(failure.code).toBe("SCALER_CRASH_LOOP");
    expect(failure.message).toContain("3 times in a row, now with exit code 9");
  });

  it("is not started again after a sleep", async () => {
    const test = await openTestScaler([{ name: "hello", command: node("server.ts") }]);
    const pid = Number(await ask(only(await wake(test, "hello"))));
    process.kill(pid, "SIGKILL");
    await test.scaler.setScale(refOf("hello"), 0);
    await allEnded([pid]);
    await resourceWhen(test, "hello", ({ ready }) => ready === 0);
    expect(await test.scaler.resolveTargets(refOf("hello"), undefined)).toEqual([]);
  });
});

describe("output", () => {
  it("is prefixed, cut and counted, and never holds up the process", async () => {
    const logs = { lineBytes: 1_000, linesPerSecond: 100 };
    const test = await openTestScaler([{ name: "flood", command: node("flood.ts") }], { logs });
    expect(await ask(only(await wake(test, "flood")))).toBe("done");
    await eventually(() => {
      const dropped = test.logs.find(({ message }) => message === "dropped lines of output that came too fast");
      expect(dropped).toMatchObject({ level: "warn", fields: { resource: "local/default/flood" } });
    });
    const lines = test.logs.filter(({ message }) => message.startsWith("[flood] "));
    expect(lines.find(({ message }) => message.startsWith("[flood] 1 xxx"))).toBeDefined();
    const streamOf = { info: "stdout", warn: "stderr", debug: "none", error: "none" } as const;
    for (const { level, fields } of lines) expect(fields).toMatchObject({ stream: streamOf[level] });
    expect(lines.length).toBeLessThan(5_000);
    expect(Math.max(...lines.map(({ message }) => message.length))).toBeLessThan(1_100);
  });

  it("names the replica where there are several, and is not shown where that is not wanted", async () => {
    const text = `console.log("up\\u{1F42D}"); require("http").createServer((_, r) => r.end()).listen(process.env.PORT)`;
    const test = await openTestScaler([{ name: "talker", command: script(text) }]);
    await wake(test, "talker", 2);
    await eventually(() => {
      const messages = test.logs.map(({ message }) => message);
      expect(messages).toEqual(expect.arrayContaining(["[talker.1] up\u{1F42D}", "[talker.2] up\u{1F42D}"]));
    });
    const quiet = await openTestScaler([{ name: "talker", command: script(text) }], { logs: { show: false } });
    await wake(quiet, "talker");
    expect(quiet.logs.filter(({ message }) => message.startsWith("["))).toEqual([]);
  });
});
