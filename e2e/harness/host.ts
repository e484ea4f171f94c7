import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const bin = join(root, "packages/cli/src/bin.ts");

/** How long a host may take to be ready, and to stop. */
const patienceMs = 20_000;

/** The path of a fixture service. */
export function service(name: string): string {
  return fileURLToPath(new URL(`../services/${name}.mjs`, import.meta.url));
}

export interface ResourceConfig {
  readonly name: string;
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly policy?: Readonly<Record<string, unknown>>;
  readonly [key: string]: unknown;
}

export interface HostConfig {
  readonly resources: readonly ResourceConfig[];
  readonly dlx?: Readonly<Record<string, unknown>>;
  readonly autoscaler?: Readonly<Record<string, unknown>>;
  readonly defaults?: Readonly<Record<string, unknown>>;
  readonly [key: string]: unknown;
}

/** A real `dormouse up` in a process of its own, with a folder of its own. */
export class Host implements AsyncDisposable {
  readonly folder: string;
  readonly origin: string;
  readonly admin: string;
  readonly configFile: string;
  readonly #ports: { readonly dlx: number; readonly admin: number };
  #child: ChildProcess;
  #output = "";

  private constructor(folder: string, ports: { readonly dlx: number; readonly admin: number }, config: HostConfig) {
    this.folder = folder;
    this.#ports = ports;
    this.origin = `http://127.0.0.1:${ports.dlx}`;
    this.admin = `http://127.0.0.1:${ports.admin}`;
    this.configFile = join(folder, "dormouse.yaml");
    this.configure(config);
    this.#child = this.#spawn();
  }

  /** Starts a host and waits until it is ready. JSON is YAML: the configuration is written as it is. */
  static async start(config: HostConfig): Promise<Host> {
    const folder = mkdtempSync(join(tmpdir(), "dormouse-e2e-"));
    const host = new Host(folder, { dlx: await freePort(), admin: await freePort() }, config);
    await host.ready();
    return host;
  }

  /** Everything the host has printed. */
  get output(): string {
    return this.#output;
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** Writes the configuration; a running host notices by itself. */
  configure(config: HostConfig): void {
    const { resources, ...rest } = config;
    const whole = {
      admin: { listen: `127.0.0.1:${this.#ports.admin}` },
      scalers: [{ use: "process", id: "local", options: { stateDir: join(this.folder, "state"), resources } }],
      ...rest,
      dlx: { listen: `127.0.0.1:${this.#ports.dlx}`, ...rest.dlx },
      autoscaler: { every: "100ms", ...rest.autoscaler },
    };
    writeFileSync(this.configFile, JSON.stringify(whole, undefined, 2));
  }

  async ready(): Promise<void> {
    const deadline = performance.now() + patienceMs;
    while (performance.now() < deadline) {
      if (this.#child.exitCode !== null) throw new Error(`the host ended with ${this.#child.exitCode}:\n${this.#output}`);
      const answer = await fetch(`${this.admin}/readyz`).catch(() => undefined);
      if (answer?.status === 200) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`the host was not ready in time:\n${this.#output}`);
  }

  /** Starts the host again after it ended. */
  async restart(): Promise<void> {
    this.#child = this.#spawn();
    await this.ready();
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** The exit code; null where a signal ended it. */
  async ended(): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, "exit");
    return this.#child.exitCode;
  }

  /** One resource as the admin API shows it. */
  async resource(name: string): Promise<Record<string, unknown>> {
    const answer = await fetch(`${this.admin}/v1/resources/local/default/${name}`);
    return (await answer.json()) as Record<string, unknown>;
  }

  async why(name: string): Promise<Record<string, unknown>> {
    const answer = await fetch(`${this.admin}/v1/resources/local/default/${name}/why`);
    return (await answer.json()) as Record<string, unknown>;
  }

  async post(name: string, verb: "wake" | "sleep"): Promise<{ readonly status: number; readonly body: Record<string, unknown> }> {
    const answer = await fetch(`${this.admin}/v1/resources/local/default/${name}/${verb}`, { method: "POST" });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  }

  async until(name: string, state: string, withinMs = patienceMs): Promise<void> {
    const deadline = performance.now() + withinMs;
    let last: unknown;
    while (performance.now() < deadline) {
      last = await this.resource(name);
      if ((last as { state?: unknown }).state === state) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`${name} was not ${state} within ${withinMs} ms: ${JSON.stringify(last)}\n${this.#output.slice(-4_000)}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), patienceMs);
    await this.ended();
    clearTimeout(timer);
    rmSync(this.folder, { recursive: true, force: true });
  }

  #spawn(): ChildProcess {
    const child = spawn(process.execPath, ["--conditions=@dormouse/source", bin, "up", "-c", this.configFile], { stdio: ["ignore", "pipe", "pipe"] });
    const keep = (text: Buffer): void => {
      this.#output = (this.#output + text.toString()).slice(-200_000);
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    return child;
  }
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
