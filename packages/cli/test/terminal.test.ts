import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, it, type TestContext, vi } from "vitest";
import { processesWith } from "./run-bin.ts";
import { server } from "./run-host.ts";

const run = promisify(execFile);
const bin = fileURLToPath(new URL("../src/bin.ts", import.meta.url));

/** How long anything may take on a busy machine. */
const soon = { timeout: 20_000 };

vi.setConfig({ testTimeout: 120_000 });

let folder: string;
let child: ChildProcess | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dormouse-terminal-"));
  const resource = `{ name: a, command: ${server("a")}, policy: { hosts: [a.test] } }`;
  const yaml = `admin: { listen: 127.0.0.1:0 }\ndlx: { listen: 127.0.0.1:0 }\nscalers:\n  - use: process\n    id: local\n    options:\n      resources:\n        - ${resource}\n`;
  await writeFile(join(folder, "dormouse.yaml"), yaml);
});

afterEach(async () => {
  child?.kill("SIGKILL");
  await rm(folder, { recursive: true, force: true });
});

/** Runs the command in a terminal that `script` makes, and gives all that the terminal got. */
async function inTerminal(
  context: TestContext,
  environment: Readonly<Record<string, string>>,
  columns: number,
): Promise<{ output: () => string; interrupt: () => void; ended: Promise<number | null> }> {
  const isThere = await run("script", ["--version"]).then(
    () => true,
    () => false,
  );
  if (!isThere) context.skip("script is missing: apt-get install bsdutils");
  const command = `stty rows 24 columns ${columns}; exec "${process.execPath}" --conditions=@dormouse/source "${bin}" up -c "${join(folder, "dormouse.yaml")}"`;
  const started = spawn("script", ["--quiet", "--return", "--command", command, "/dev/null"], {
    cwd: folder,
    env: { PATH: process.env["PATH"], HOME: folder, TERM: "xterm-256color", SHELL: "/bin/sh", ...environment },
    stdio: ["pipe", "pipe", "inherit"],
  });
  child = started;
  let text = "";
  started.stdout.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  const ended = new Promise<number | null>((resolve) => started.on("close", resolve));
  // What Ctrl-C sends to a terminal.
  return { output: () => text, interrupt: () => void started.stdin.write("\u0003"), ended };
}

it("shows a live table in a terminal with log lines above it, and gives the terminal back on Ctrl-C", async (context) => {
  const { output, interrupt, ended } = await inTerminal(context, {}, 100);
  await expect.poll(output, soon).toMatch(/RESOURCE +STATE +REPLICAS +HELD +IN FLIGHT/);
  expect(output()).toContain("local/default/a");
  await expect.poll(output, soon).toMatch(/INFO.*ready/);
  expect(output()).toContain("\u001b[?25l");
  interrupt();
  expect(await ended).toBe(0);
  expect(output()).toContain("stopped");
  expect(output().lastIndexOf("\u001b[?25h")).toBeGreaterThan(output().lastIndexOf("\u001b[?25l"));
});

it("shows it without colours where NO_COLOR is set, and within a narrow terminal", async (context) => {
  const { output, interrupt, ended } = await inTerminal(context, { NO_COLOR: "1" }, 44);
  await expect.poll(output, soon).toMatch(/RESOURCE +STATE/);
  interrupt();
  expect(await ended).toBe(0);
  const colours = output()
    .split("\u001b[")
    .filter((part) => /^[\d;]*m/.test(part));
  expect(colours).toEqual([]);
  expect(output()).not.toMatch(/LAST WAKE/);
});

it("ends with its terminal, and leaves nothing behind", async (context) => {
  const { output } = await inTerminal(context, {}, 100);
  await expect.poll(output, soon).toMatch(/INFO.*ready/);
  const [host] = await processesWith(join(folder, "dormouse.yaml"));
  expect(host).toBeGreaterThan(0);
  child?.kill("SIGKILL");
  await expect.poll(() => processesWith(join(folder, "dormouse.yaml")), soon).toEqual([]);
});
