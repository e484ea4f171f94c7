import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { systemClock } from "@dormouse/core";

/** How long a program may take to end by itself before its group is killed, in ms. */
const patienceMs = 10_000;

/** How much of what a program printed is kept, in characters. */
const keptOutput = 20_000;

export interface ChildOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Whether it is a Node program that `ask` talks to. */
  readonly ipc?: boolean;
}

/** A program in a process group of its own. */
export class ChildProgram implements AsyncDisposable {
  readonly #child: ChildProcess;
  #output = "";
  #isClosed = false;

  constructor([program = "", ...args]: readonly string[], { env = {}, ipc = false }: ChildOptions = {}) {
    this.#child = spawn(program, args, {
      detached: true,
      stdio: ["ignore", "pipe", "pipe", ...(ipc ? (["ipc"] as const) : [])],
      env: { ...process.env, ...env },
    });
    this.#child.on("error", (error) => (this.#output += error.message));
    this.#child.on("close", () => (this.#isClosed = true));
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on("data", (text: Buffer) => (this.#output = (this.#output + text.toString()).slice(-keptOutput)));
    }
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** The last of what it printed. */
  get output(): string {
    return this.#output;
  }

  get hasEnded(): boolean {
    return this.#child.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Sends a message without waiting for an answer. */
  tell(message: object | string): void {
    this.#child.send(message);
  }

  /** Its next message. Rejects if it ends first. */
  async nextMessage(): Promise<unknown> {
    const over = new AbortController();
    const message = once(this.#child, "message", { signal: over.signal });
    const ended = once(this.#child, "exit", { signal: over.signal }).then(() => {
      throw new Error(`a program ended before it answered:\n${this.#output}`);
    });
    try {
      const [value] = (await Promise.race([message, ended])) as unknown[];
      return value;
    } finally {
      over.abort();
      await Promise.allSettled([message, ended]);
    }
  }

  async ask(message: object | string): Promise<unknown> {
    const answer = this.nextMessage();
    this.tell(message);
    return answer;
  }

  /** Its exit code once it has ended by itself; null where a signal ended it. */
  async ended(): Promise<number | null> {
    // Unlike "exit", "close" comes after the last of its output.
    if (!this.#isClosed) await once(this.#child, "close");
    return this.#child.exitCode;
  }

  /** Asks it to end, and kills its group where it does not. */
  async end(): Promise<void> {
    if (this.hasEnded) return;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    const timer = systemClock.setTimer(patienceMs, () => process.kill(-this.pid, "SIGKILL"));
    await ended;
    timer.cancel();
  }

  /** Kills its group, for a process that cannot wait any more. */
  kill(): void {
    if (!this.hasEnded) process.kill(-this.pid, "SIGKILL");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }
}
