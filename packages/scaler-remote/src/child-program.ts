import { type ChildProcess, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import type { Clock, Milliseconds } from "@dormouse/core";
import { childEnvironment } from "./child-environment.ts";
import { LineReader } from "./line-reader.ts";
import { type Exit, toSpawnError } from "./remote-error.ts";
import type { ExecOptions } from "./remote-options.ts";

/** From SIGTERM to SIGKILL. */
const killAfterMs: Milliseconds = 2_000;

/** What a program wrote before its end may still be in the pipe when its end is known. */
const lastOutputMs: Milliseconds = 100;

const stderrLineBytes = 4_096;
const keptLines = 10;

/**
 * Runs the program in a process group of its own, beside a guardian: a member of the group that waits for the end of
 * descriptor 3, which nobody but the host holds open. However the host ends, also by SIGKILL, the guardian kills the group
 * 5 s later. The shell between leads the group, so that its number stays theirs, ends as the program ended, and leaves no
 * zombie behind where the host is process 1 of a container.
 */
const launcher = `
exec 5<&0
"$@" <&5 3<&- 5<&- &
program=$!
( trap '' HUP INT TERM; read -r line; PATH=/usr/bin:/bin sleep 5; kill -KILL 0 ) <&3 3<&- 5<&- >/dev/null 2>&1 &
guardian=$!
trap '' HUP INT TERM
exec </dev/null >/dev/null 2>&1 3<&- 5<&-
wait "$program"
code=$?
kill -KILL "$guardian"
wait "$guardian"
trap - HUP INT TERM
if [ "$code" -gt 128 ]; then kill -"$((code - 128))" $$; fi
exit "$code"
`;

/** Who hears of a program. */
interface ProgramEvents {
  onLine(line: Buffer): void;
  onErrorLine(line: string): void;
  /** It writes a line to stdout that is longer than a message may be. */
  onOverlong(): void;
}

/** What is started, and how it may end. */
export interface ProgramParts {
  readonly exec: ExecOptions;
  readonly messageBytes: number;
  readonly clock: Clock;
  readonly events: ProgramEvents;
}

/** One run of the remote's program, with all that it starts in its process group. */
export class ChildProgram {
  /** Resolves once the program has ended and its group has been killed. Never rejects. */
  readonly ended: Promise<Exit>;
  readonly #parts: ProgramParts;
  readonly #child: ChildProcess;
  readonly #lastLines: string[] = [];
  #hasEnded = false;

  private constructor(child: ChildProcess, parts: ProgramParts) {
    this.#child = child;
    this.#parts = parts;
    this.#read();
    this.ended = this.#waitForEnd();
  }

  /** Rejects with `SCALER_UNAVAILABLE` where nothing could be started. */
  static async start(parts: ProgramParts): Promise<ChildProgram> {
    const { exec } = parts;
    const child = spawn("/bin/sh", ["-c", launcher, "sh", ...exec.command], {
      cwd: exec.cwd,
      env: childEnvironment(exec),
      detached: true,
      stdio: ["pipe", "pipe", "pipe", "pipe"],
    });
    // What is written to one who has ended, or read from him, fails; his end tells it.
    for (const stream of child.stdio) stream?.on("error", () => {});
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    child.once("spawn", resolve);
    child.on("error", (error) => reject(toSpawnError(exec.command[0] ?? "", error)));
    await promise;
    return new ChildProgram(child, parts);
  }

  /** Writes to stdin; false where more than a message waits to be read already. */
  write(text: string): boolean {
    const { stdin } = this.#child;
    if (stdin === null || !stdin.writable) return true;
    if (stdin.writableLength > this.#parts.messageBytes) return false;
    stdin.write(text);
    return true;
  }

  /** Ends it by the end of its stdin, then by SIGTERM, then by SIGKILL. Resolves once it has ended. */
  async stop(): Promise<void> {
    this.#child.stdin?.end();
    if (!(await this.#endsWithin(this.#parts.exec.stopGrace))) this.#signal("SIGTERM");
    if (!(await this.#endsWithin(killAfterMs))) this.kill();
    await this.ended;
  }

  /** Kills it and its group. */
  kill(): void {
    this.#signal("SIGKILL");
  }

  #read(): void {
    const { messageBytes, events } = this.#parts;
    const lines = new LineReader(messageBytes, (line, wasCut) => (wasCut ? events.onOverlong() : events.onLine(line)));
    const errorLines = new LineReader(stderrLineBytes, (line) => this.#keep(line.toString("utf8")));
    outputOf(this.#child, 1).on("data", (chunk: Buffer) => {
      if (lines.isCutting) return;
      lines.push(chunk);
      if (lines.isCutting) events.onOverlong();
    });
    outputOf(this.#child, 2)
      .on("data", (chunk: Buffer) => errorLines.push(chunk))
      .once("end", () => errorLines.end());
  }

  #keep(line: string): void {
    this.#lastLines.push(line);
    if (this.#lastLines.length > keptLines) this.#lastLines.shift();
    this.#parts.events.onErrorLine(line);
  }

  async #waitForEnd(): Promise<Exit> {
    const { promise: exited, resolve } = Promise.withResolvers<Omit<Exit, "lastLines">>();
    const { promise: closed, resolve: close } = Promise.withResolvers<void>();
    this.#child.once("exit", (code, signal) => resolve({ code, signal }));
    this.#child.once("close", () => close());
    const exit = await exited;
    // What it left running in its group goes with it, the guardian too.
    this.kill();
    this.#hasEnded = true;
    const timer = this.#parts.clock.setTimer(lastOutputMs, () => close());
    await closed;
    timer.cancel();
    for (const stream of this.#child.stdio) stream?.destroy();
    return { ...exit, lastLines: [...this.#lastLines] };
  }

  async #endsWithin(ms: Milliseconds): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = this.#parts.clock.setTimer(ms, () => resolve(false));
    void this.ended.then(() => resolve(true));
    try {
      return await promise;
    } finally {
      timer.cancel();
    }
  }

  #signal(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined || this.#hasEnded) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // ESRCH: all of it has ended. EPERM: it changed its user, and its stdin's end has to do.
    }
  }
}

function outputOf({ stdio }: ChildProcess, descriptor: 1 | 2): Readable {
  const stream: Readable | Writable | null | undefined = stdio[descriptor];
  if (stream === null || stream === undefined || !("read" in stream)) throw new Error("stdout and stderr are pipes");
  return stream;
}
