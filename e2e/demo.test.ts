import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { globSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { defaultPolicy, parseConfig, parsePolicy } from "@dormouse/core";
import { request } from "undici";
import { afterEach, describe, expect, it, vi } from "vitest";
import { parse } from "yaml";
import { family, familyVariable } from "./harness/processes.ts";
import { until } from "./harness/until.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/** The demo from source, as the root script runs it. */
class DemoRun implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #family = randomUUID();
  /** Where it may write. */
  readonly #folder = mkdtempSync(join(tmpdir(), "dormouse-e2e-"));
  output = "";

  constructor(...args: readonly string[]) {
    const node = ["--conditions=@dormouse/source", join(root, "examples/demo/demo.ts")];
    this.#child = spawn(process.execPath, [...node, ...args], {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, TMPDIR: this.#folder, [familyVariable]: this.#family },
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on("data", (text: Buffer) => (this.output += text.toString()));
    }
  }

  /** Folders it has made and not removed; Node's own compile cache may stay. */
  get folders(): readonly string[] {
    return readdirSync(this.#folder).filter((name) => name !== "node-compile-cache");
  }

  /** What it started and is still running, itself included. */
  get processes(): readonly string[] {
    return family(this.#family).map(({ command }) => command);
  }

  async says(text: string): Promise<void> {
    const check = (): void => {
      if (!this.output.includes(text)) throw new Error(`the demo has not said "${text}":\n${this.output}`);
    };
    await vi.waitFor(check, { timeout: 240_000, interval: 50 });
  }

  /** Resolves once nothing runs any more: whoever was killed may take a moment to be gone. */
  async leavesNothing(): Promise<void> {
    await until(
      () => `all had ended, but ${this.processes.join(", ")}`,
      () => this.processes.length === 0,
    );
  }

  interrupt(): void {
    this.#child.kill("SIGINT");
  }

  async ended(): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, "exit");
    return this.#child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.interrupt();
    await this.ended();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

const runs: DemoRun[] = [];

function runDemo(...args: readonly string[]): DemoRun {
  const run = new DemoRun(...args);
  runs.push(run);
  return run;
}

afterEach(async () => {
  await Promise.all(runs.splice(0).map(async (run) => run[Symbol.asyncDispose]()));
});

describe("the demo", () => {
  it("loses nothing, ends by itself and leaves nothing behind", { timeout: 300_000 }, async () => {
    const demo = runDemo();
    expect(await demo.ended(), demo.output).toBe(0);
    expect(demo.output).toContain("lost 0");
    expect(demo.output.match(/^yes {2}/gm)?.length).toBe(6);
    expect(demo.output).not.toMatch(/^NO {3}/m);
    for (const server of ["http-server", "json-server", "peer (WebSocket)", "node-red"]) {
      expect(demo.output).toContain(server);
    }
    await demo.leavesNothing();
    expect(demo.folders).toEqual([]);
  });

  it("leaves nothing behind when it is interrupted while a server runs by hand", async () => {
    const demo = runDemo();
    await demo.says("starts by hand");
    // The demo itself, Dormouse, and the server that runs beside it.
    await vi.waitFor(() => expect(demo.processes.length).toBeGreaterThanOrEqual(3), { timeout: 30_000, interval: 10 });
    demo.interrupt();
    expect(await demo.ended(), demo.output).toBe(130);
    await demo.leavesNothing();
    expect(demo.folders).toEqual([]);
  });

  it("leaves nothing behind when it is interrupted while services are awake", async () => {
    const demo = runDemo();
    await demo.says("requests woke it");
    demo.interrupt();
    expect(await demo.ended(), demo.output).toBe(130);
    await demo.leavesNothing();
    expect(demo.folders).toEqual([]);
  });

  it("with --keep leaves everything up, tells where, and ends at an interrupt", { timeout: 300_000 }, async () => {
    const demo = runDemo("--keep");
    await demo.says("Everything stays up until Ctrl-C");
    await demo.says("/v1/resources");
    const [, host = "", url = ""] = /curl -i -H 'Host: (site\S+)' '(\S+)'/.exec(demo.output) ?? [];
    const answer = await request(url, { headers: { host } });
    expect(await answer.body.text()).toContain("Up again");
    expect(answer.headers["x-dormouse-cold-start"]).toBe("true");
    demo.interrupt();
    expect(await demo.ended(), demo.output).toBe(0);
    await demo.leavesNothing();
  });
});

describe("the documentation", () => {
  const scripts = (JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: Record<string, string> })
    .scripts;

  it.for(["README.md", "docs/getting-started.md", "examples/hello/README.md", "bench/README.md", "CONTRIBUTING.md"])(
    "%s names only scripts that exist",
    (file) => {
      const named = [...readFileSync(join(root, file), "utf8").matchAll(/npx pnpm@12 ([a-z:-]+)/g)].map(
        ([, name]) => name ?? "",
      );
      expect(named.length).toBeGreaterThan(0);
      expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
    },
  );

  it("shows configurations that are right", () => {
    const text = readFileSync(join(root, "docs/getting-started.md"), "utf8");
    const files = [...text.matchAll(/```yaml\n(.*?)```/gs)].map(([, yaml = ""]) => yaml);
    expect(files.length).toBeGreaterThan(0);
    for (const yaml of files) expect(() => parseConfig(parse(yaml), "dormouse.yaml")).not.toThrow();
  });

  it("shows policies that are right", () => {
    const text = readFileSync(join(root, "docs/getting-started.md"), "utf8");
    const rows = text
      .split("\n")
      .filter((line) => line.startsWith("|"))
      .join("\n");
    const policies = [...rows.matchAll(/`([a-zA-Z]+: [^`]+)`/g)].map(([, yaml = ""]) => yaml);
    expect(policies.length).toBeGreaterThan(10);
    for (const yaml of policies) expect(() => parsePolicy(parse(yaml), defaultPolicy, "policy"), yaml).not.toThrow();
  });

  it("lists every decision", () => {
    const folder = join(root, "docs/decisions");
    const index = readFileSync(join(folder, "README.md"), "utf8");
    const files = globSync("[0-9]*.md", { cwd: folder });
    expect(files.filter((file) => !index.includes(`(${file})`))).toEqual([]);
  });
});
