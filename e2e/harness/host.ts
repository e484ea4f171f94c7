import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { Events } from "./events.ts";
import { freePort, isFree } from "./free-port.ts";
import type { HostConfig } from "./host-config.ts";
import { family, familyVariable, type RunningProcess } from "./processes.ts";
import { patienceMs, until, within } from "./until.ts";

const require = createRequire(import.meta.url);
const manifest = require.resolve("@dormouse/cli/package.json");

/** The command line interface as the sources have it; the condition makes Node run them without a build. */
export const dormouse = ["--conditions=@dormouse/source", join(dirname(manifest), "src/bin.ts")];

/** How a host is run where it is not enough to run the sources as they are. */
export interface Launch {
  /** Arguments of Node that run the command line interface; the sources by default. */
  readonly dormouse?: readonly string[];
  /** Program and arguments that become the host in the end, without a process in between: `prlimit`, `unshare`. */
  readonly wrapper?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** File at whose end standard output is written. */
  readonly outputFile?: string;
}

interface Ports {
  readonly dlx: number;
  readonly admin: number;
}

/** One resource as the admin API shows it. */
export interface ResourceView {
  readonly ref: string;
  readonly state: "asleep" | "waking" | "awake" | "sleeping" | "failed";
  readonly desired: number;
  readonly ready: number;
  readonly held: number;
  readonly inFlight: number;
  readonly [key: string]: unknown;
}

/** A real `dormouse up` in a process of its own, with a folder of its own. */
export class Host implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), "dormouse-e2e-"));
  readonly configFile = join(this.folder, "dormouse.yaml");
  readonly origin: string;
  readonly admin: string;
  readonly #ports: Ports;
  readonly #launch: Launch;
  #child: ChildProcess | undefined;
  #events: Events | undefined;
  #output = "";

  private constructor(ports: Ports, launch: Launch) {
    this.#ports = ports;
    this.#launch = launch;
    this.origin = `http://127.0.0.1:${ports.dlx}`;
    this.admin = `http://127.0.0.1:${ports.admin}`;
  }

  /** Starts a host and resolves once it is ready. */
  static async start(config: HostConfig, launch: Launch = {}): Promise<Host> {
    const host = new Host({ dlx: await freePort(), admin: await freePort() }, launch);
    host.configure(config);
    try {
      await host.restart();
    } catch (error) {
      await host.kill();
      throw error;
    }
    return host;
  }

  /** What the host has printed, and the services through it. */
  get output(): string {
    return this.#output;
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error("the host does not run");
    return pid;
  }

  /** The events since the host was ready. */
  get events(): Events {
    if (this.#events === undefined) throw new Error("the host was not ready yet");
    return this.#events;
  }

  /** What the host has started and what that has started, by the mark in the environment. */
  get children(): readonly RunningProcess[] {
    return family(basename(this.folder)).filter(({ pid }) => pid !== this.#child?.pid);
  }

  /** Writes the configuration; a running host notices by itself. JSON is YAML. */
  configure(config: HostConfig): void {
    const { resources, dlx, autoscaler, use = "process", stateDir = join(this.folder, "state"), ...rest } = config;
    this.write(
      JSON.stringify({
        admin: { listen: `127.0.0.1:${this.#ports.admin}` },
        scalers: [{ use, id: "local", options: { stateDir, resources } }],
        dlx: { listen: `127.0.0.1:${this.#ports.dlx}`, ...dlx },
        autoscaler: { every: "50ms", ...autoscaler },
        log: { level: "debug", format: "json" },
        ...rest,
      }),
    );
  }

  /** Writes the configuration file as it is given. */
  write(text: string): void {
    writeFileSync(this.configFile, text);
  }

  /** Starts the host, again where it has ended, and resolves once it is ready. */
  async restart(): Promise<void> {
    this.#spawn();
    await until(
      () => `the host was ready:\n${this.tail}`,
      () => this.#isReady(),
    );
    await this.#events?.[Symbol.asyncDispose]();
    this.#events = await Events.follow(this.admin);
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }

  /** The exit code once it has ended; undefined where a signal ended it. */
  async ended(limitMs = patienceMs): Promise<number | undefined> {
    const child = this.#child;
    if (child === undefined) throw new Error("the host was never started");
    const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null;
    if (!isOver()) await within(() => `the host ended:\n${this.tail}`, once(child, "exit"), limitMs);
    return child.exitCode ?? undefined;
  }

  async resource(name: string): Promise<ResourceView> {
    return (await this.#get(`/v1/resources/local/default/${name}`)) as ResourceView;
  }

  async why(name: string): Promise<Readonly<Record<string, unknown>>> {
    return this.#get(`/v1/resources/local/default/${name}/why`);
  }

  /** Resolves with the resource once it is as expected. */
  async untilResource(
    name: string,
    isExpected: (view: ResourceView) => boolean,
    limitMs?: number,
  ): Promise<ResourceView> {
    let last: ResourceView | undefined;
    const probe = async (): Promise<ResourceView | undefined> => {
      last = await this.resource(name);
      return isExpected(last) ? last : undefined;
    };
    return until(() => `${name} was as expected: ${JSON.stringify(last)}\n${this.tail}`, probe, limitMs);
  }

  async untilState(name: string, state: ResourceView["state"], limitMs?: number): Promise<ResourceView> {
    return this.untilResource(name, (view) => view.state === state, limitMs);
  }

  /** `POST …/wake` or `…/sleep`. */
  async ask(name: string, verb: "wake" | "sleep"): Promise<{ readonly status: number; readonly body: unknown }> {
    const answer = await fetch(`${this.admin}/v1/resources/local/default/${name}/${verb}`, { method: "POST" });
    return { status: answer.status, body: await answer.json() };
  }

  /** Stops the host as an operator does, and rejects where anything of it is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.signal("SIGTERM");
      await this.ended();
      await this.expectNothingLeft();
    } finally {
      await this.kill();
    }
  }

  /** Rejects where a process that the host started still runs, or somebody still listens on its ports. */
  async expectNothingLeft(): Promise<void> {
    const left = this.children;
    if (left.length > 0) throw new Error(`the host left behind ${JSON.stringify(left)}:\n${this.tail}`);
    const { dlx, admin } = this.#ports;
    for (const port of [dlx, admin]) if (!(await isFree(port))) throw new Error(`the port ${port} is still taken`);
  }

  /** Ends whatever still runs, without a farewell, and removes the folder. */
  async kill(): Promise<void> {
    this.signal("SIGKILL");
    for (const { pid } of this.children) process.kill(pid, "SIGKILL");
    await this.#events?.[Symbol.asyncDispose]();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** The end of what was printed. */
  get tail(): string {
    return this.#output.slice(-6_000);
  }

  async #get(path: string): Promise<Readonly<Record<string, unknown>>> {
    const answer = await fetch(`${this.admin}${path}`);
    const body = (await answer.json()) as Readonly<Record<string, unknown>>;
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${JSON.stringify(body)}`);
    return body;
  }

  async #isReady(): Promise<boolean> {
    const child = this.#child;
    if (child?.exitCode !== null || child.signalCode !== null) throw new Error(`the host ended:\n${this.tail}`);
    return fetch(`${this.admin}/readyz`).then(
      (answer) => answer.status === 200,
      () => false,
    );
  }

  #spawn(): void {
    const { wrapper = [], env, outputFile } = this.#launch;
    const node = [process.execPath, ...(this.#launch.dormouse ?? dormouse), "up", "-c", this.configFile];
    const [program = "", ...args] = [...wrapper, ...node];
    const output = outputFile === undefined ? "pipe" : openSync(outputFile, "a");
    const child = spawn(program, args, {
      stdio: ["ignore", output, "pipe"],
      env: { ...plainEnvironment(), ...env, [familyVariable]: basename(this.folder) },
    });
    if (output !== "pipe") closeSync(output);
    this.#child = child;
    for (const stream of [child.stdout, child.stderr])
      stream?.on("data", (text: Buffer) => (this.#output = (this.#output + text.toString()).slice(-1_000_000)));
  }
}

/** The environment without what the test runner and the calling shell put there. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  const foreign = /^(?:VITEST|NODE_ENV$|NODE_OPTIONS$|DORMOUSE_|TEST$)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)));
}
