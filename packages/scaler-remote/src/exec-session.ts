import type { Clock } from "@dormouse/core";
import type { BoundedLog } from "./bounded-log.ts";
import { ChildProgram } from "./child-program.ts";
import { toBrokenProgramError, toExitError } from "./remote-error.ts";
import type { ExecOptions } from "./remote-options.ts";
import { RpcPeer } from "./rpc-peer.ts";

/** What a session is made of. */
export interface SessionParts {
  readonly exec: ExecOptions;
  readonly messageBytes: number;
  readonly clock: Clock;
  readonly log: BoundedLog;
}

/** One run of the program, and what is said with it. */
export class ExecSession {
  readonly peer: RpcPeer;
  /** Resolves with the reason once the program has ended. Never rejects. */
  readonly ended: Promise<Error>;
  readonly #parts: SessionParts;
  readonly #program: ChildProgram;
  #broken: Error | undefined;

  private constructor(program: ChildProgram, peer: RpcPeer, parts: SessionParts) {
    this.peer = peer;
    this.#program = program;
    this.#parts = parts;
    this.ended = this.#waitForEnd();
  }

  /** Rejects with `SCALER_UNAVAILABLE` where the program cannot be started. */
  static async start(parts: SessionParts): Promise<ExecSession> {
    const { exec, messageBytes, clock, log } = parts;
    const peer = new RpcPeer({
      clock,
      messageBytes,
      send: (line) => program.write(line),
      onStrange: (problem) => log.warn(problem, "the remote wrote a line to stdout that is left out"),
      onBroken: (problem) => session.break(problem),
    });
    const program = await ChildProgram.start({
      exec,
      messageBytes,
      clock,
      events: {
        onLine: (line) => peer.take(line),
        onErrorLine: (line) => log.warn(line, "stderr of the remote"),
        onOverlong: () => session.break(`wrote a line of more than ${String(messageBytes)} bytes to stdout`),
      },
    });
    const session = new ExecSession(program, peer, parts);
    return session;
  }

  /** Kills the program for a reason that whatever waits for it is told. */
  break(problem: string): void {
    this.#broken ??= toBrokenProgramError(this.#parts.exec.command[0] ?? "", problem);
    this.peer.close(this.#broken);
    this.#program.kill();
  }

  /** Ends the program with grace. */
  async stop(): Promise<void> {
    await this.#program.stop();
  }

  async #waitForEnd(): Promise<Error> {
    const exit = await this.#program.ended;
    const error = this.#broken ?? toExitError(this.#parts.exec.command[0] ?? "", exit);
    this.peer.close(error);
    return error;
  }
}
