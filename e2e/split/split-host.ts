import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { dormouse, plainEnvironment } from "../harness/host.ts";
import { patienceMs, until, within } from "../harness/until.ts";

export interface SplitHostOptions {
  readonly role: "dlx" | "autoscaler";
  /** Its id as the others know it. */
  readonly id: string;
  readonly configFile: string;
  readonly adminPort: number;
  readonly args: readonly string[];
}

/** A real `dormouse dlx` or `dormouse autoscaler` in a process of its own. */
export class SplitHost implements AsyncDisposable {
  readonly id: string;
  readonly admin: string;
  readonly #options: SplitHostOptions;
  #child: ChildProcess | undefined;
  #output = "";

  constructor(options: SplitHostOptions) {
    this.#options = options;
    this.id = options.id;
    this.admin = `http://127.0.0.1:${options.adminPort}`;
  }

  /** The end of what was printed. */
  get tail(): string {
    return this.#output.slice(-4_000);
  }

  /** Starts it, again where it has ended; does not wait. */
  spawn(): void {
    const { role, configFile, adminPort, args } = this.#options;
    const flags = ["-c", configFile, "--admin-listen", `127.0.0.1:${adminPort}`, "--no-watch", ...args];
    const child = spawn(process.execPath, [...dormouse, role, ...flags], {
      stdio: ["ignore", "pipe", "pipe"],
      env: plainEnvironment(),
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (text: Buffer) => (this.#output = (this.#output + text.toString()).slice(-200_000)));
  }

  async start(): Promise<void> {
    this.spawn();
    await until(
      () => `${this.id} was ready:\n${this.tail}`,
      () => this.isReady(),
    );
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }

  async isReady(): Promise<boolean> {
    const answer = await fetch(`${this.admin}/readyz`).catch(() => undefined);
    return answer?.status === 200;
  }

  async get(path: string): Promise<Readonly<Record<string, unknown>>> {
    return (await (await fetch(`${this.admin}${path}`)).json()) as Readonly<Record<string, unknown>>;
  }

  /** The exit code once it has ended; undefined where a signal ended it. */
  async ended(limitMs = patienceMs): Promise<number | undefined> {
    const child = this.#child;
    if (child !== undefined && child.exitCode === null && child.signalCode === null)
      await within(() => `${this.id} ended:\n${this.tail}`, once(child, "exit"), limitMs);
    return child?.exitCode ?? undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal("SIGCONT");
    this.signal("SIGKILL");
    await this.ended();
  }
}
