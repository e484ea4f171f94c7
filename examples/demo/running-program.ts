import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { dirname } from "node:path";
import { type Clock, systemClock } from "@dormouse/core";

/** How long a process may take to end by itself before it is killed, in ms. */
const patienceMs = 10_000;

/** How much of what a process printed is kept, in characters. */
const keptOutput = 20_000;

/** A program in a process group of its own, so that a Ctrl-C in the terminal reaches the demo alone. */
export class RunningProgram implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #clock: Clock;
  #output = "";
  #failure: Error | undefined;

  constructor([program, ...args]: readonly string[], clock: Clock = systemClock) {
    this.#clock = clock;
    this.#child = spawn(program ?? "", args, { detached: true, stdio: ["ignore", "pipe", "pipe"], env: environment() });
    this.#child.on("error", (error) => (this.#failure = error));
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on("data", (text: Buffer) => (this.#output = (this.#output + text.toString()).slice(-keptOutput)));
    }
  }

  /** The last of what it printed. */
  get output(): string {
    return this.#output;
  }

  get hasEnded(): boolean {
    return this.#failure !== undefined || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Asks it to end, kills its group where it does not, and gives the exit code; null where a signal ended it. */
  async end(): Promise<number | null> {
    if (this.hasEnded) return this.#child.exitCode;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    const timer = this.#clock.setTimer(patienceMs, () => this.#kill());
    await ended;
    timer.cancel();
    return this.#child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }

  #kill(): void {
    const { pid } = this.#child;
    if (pid !== undefined && !this.hasEnded) process.kill(-pid, "SIGKILL");
  }
}

/** The demo's own environment, where `node` is the Node that runs the demo. */
function environment(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${dirname(process.execPath)}:${process.env["PATH"] ?? ""}` };
}
