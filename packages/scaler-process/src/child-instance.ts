import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { access } from "node:fs/promises";
import type { Readable } from "node:stream";
import type { Clock, Logger, Milliseconds, Timer } from "@dormouse/core";
import { acceptsConnection } from "./accepts-connection.ts";
import { endProcesses, killWaitMs, sendSignal } from "./end-processes.ts";
import { errorMessage } from "./error-message.ts";
import { hostEnvironment } from "./host-environment.ts";
import { LastLines } from "./last-lines.ts";
import { LineSplitter } from "./line-splitter.ts";
import { type Exit, toSpawnError } from "./process-error.ts";
import type { ResourceSpec } from "./process-options.ts";
import { markVariable, type ProcessEntry, type ProcessTable } from "./process-table.ts";
import type { OutputStream, ResourceLog } from "./resource-log.ts";

const firstDialMs: Milliseconds = 5;
const longestDialPauseMs: Milliseconds = 100;

/** What a process wrote before its end may still be in the pipe when its end is known. */
const lastOutputMs: Milliseconds = 100;

/** What a new process is, and who hears of it. */
export interface InstanceOrder {
  /** Unlike that of any other instance, of any host. */
  readonly id: string;
  readonly spec: ResourceSpec;
  readonly port: number;
  /** What stands before its lines in the log. */
  readonly label: string;
  readonly lineBytes: number;
  readonly log: ResourceLog;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly table: ProcessTable;
  readonly events: InstanceEvents;
}

export interface InstanceEvents {
  /** It accepted a connection for the first time. */
  onReady(): void;
  /** It ended without having been stopped. */
  onExit(exit: Exit): void;
}

/** One process with all that it starts, from its spawn until nothing of it is left. */
export class ChildInstance {
  readonly id: string;
  readonly pid: number;
  readonly port: number;
  readonly host: string;
  /** Resolves once nothing of it runs any more, with what could not be killed. Never rejects. */
  readonly ended: Promise<readonly ProcessEntry[]>;
  readonly #order: InstanceOrder;
  readonly #lastLines = new LastLines();
  readonly #over = new AbortController();
  #state: "starting" | "ready" | "stopping" | "over" = "starting";
  #wasReady = false;
  #groupIsEmpty = false;
  #stoppedAt: Milliseconds | undefined;
  #graceEnd: Timer | undefined;
  #giveUp: (() => void) | undefined;

  private constructor(child: ChildProcess, pid: number, order: InstanceOrder) {
    this.id = order.id;
    this.pid = pid;
    this.port = order.port;
    this.host = order.spec.host;
    this.#order = order;
    this.#follow(child.stdout, "stdout");
    this.#follow(child.stderr, "stderr");
    child.on("error", (error) => order.logger.warn({ error: error.message }, "a process reported an error"));
    this.ended = this.#run(child);
    void this.#dialUntilReady();
  }

  /** Spawns the process in a group of its own. Rejects with `SCALER_START_FAILED`. */
  static async start(order: InstanceOrder): Promise<ChildInstance> {
    const { command, cwd } = order.spec;
    try {
      const child = spawnChild(order);
      if (child.pid !== undefined) return new ChildInstance(child, child.pid, order);
      const [error] = (await once(child, "error")) as [unknown];
      throw error;
    } catch (error) {
      throw toSpawnError(error, command[0] ?? "", cwd, await exists(cwd));
    }
  }

  /** Runs and has not been asked to stop. */
  get isWanted(): boolean {
    return this.#state === "starting" || this.#state === "ready";
  }

  get isReady(): boolean {
    return this.#state === "ready";
  }

  /** Accepted a connection at some time. */
  get wasReady(): boolean {
    return this.#wasReady;
  }

  /** Asks it to stop, and kills it after its grace. From here on it is no target. */
  stop(): void {
    if (!this.isWanted) return;
    const { clock, spec } = this.#order;
    this.#state = "stopping";
    this.#over.abort();
    this.#stoppedAt = clock.monotonic();
    sendSignal(-this.pid, spec.stopSignal);
    this.#graceEnd = clock.setTimer(spec.stopGrace, () => this.#kill());
  }

  /** Kills it and its group now; for a host that is about to end. */
  kill(): void {
    if (this.#state !== "over") sendSignal(-this.pid, "SIGKILL");
  }

  #kill(): void {
    this.#order.logger.warn({ pid: this.pid, graceMs: this.#order.spec.stopGrace }, "did not stop in time; killed");
    this.kill();
    this.#graceEnd = this.#order.clock.setTimer(killWaitMs, () => this.#giveUp?.());
  }

  async #run(child: ChildProcess): Promise<readonly ProcessEntry[]> {
    const lastOutput = this.#lastOutputOf(child);
    const [code, signal] = await this.#exitOf(child);
    const wasStopped = this.#state === "stopping";
    this.#state = "over";
    this.#over.abort();
    this.#graceEnd?.cancel();
    const ending = this.#endRest();
    if (!wasStopped) {
      await lastOutput();
      this.#order.events.onExit({ code, signal, lastLines: this.#lastLines.toText() });
    }
    return ending;
  }

  #exitOf(child: ChildProcess): Promise<[number | null, NodeJS.Signals | null]> {
    return new Promise((resolve) => {
      child.once("exit", (code, signal) => resolve([code, signal]));
      this.#giveUp = () => resolve([null, "SIGKILL"]);
    });
  }

  /** Waits, from its call on and not for long, until all that was written to stderr has been read. */
  #lastOutputOf({ stderr }: ChildProcess): () => Promise<void> {
    const closed = stderr === null || stderr.closed ? Promise.resolve() : once(stderr, "close");
    closed.catch(() => {});
    return async () => {
      const limit = new AbortController();
      const late = this.#order.clock.sleep(lastOutputMs, limit.signal).catch(() => {});
      await Promise.race([closed, late]).catch(() => {});
      limit.abort();
    };
  }

  /** Ends what the process started and left behind: in its group, or elsewhere with its mark. */
  async #endRest(): Promise<readonly ProcessEntry[]> {
    const { clock, logger, spec } = this.#order;
    const sinceStopMs = this.#stoppedAt === undefined ? 0 : clock.monotonic() - this.#stoppedAt;
    const wasAsked = (entry: ProcessEntry): boolean => this.#stoppedAt !== undefined && entry.group === this.pid;
    const remaining = await endProcesses({
      find: () => this.#findRest(),
      signalFor: (entry) => (wasAsked(entry) ? undefined : spec.stopSignal),
      graceMs: Math.max(0, spec.stopGrace - sinceStopMs),
      clock,
    });
    for (const { pid } of remaining) logger.error({ pid }, "could not be killed; the next start tries again");
    return remaining;
  }

  async #findRest(): Promise<readonly ProcessEntry[]> {
    try {
      const all = await this.#order.table.list();
      // Once nobody is left in the group, its number may come to name another one.
      this.#groupIsEmpty ||= !all.some(({ group }) => group === this.pid);
      return all.filter(({ mark, group }) => mark === this.id || (group === this.pid && !this.#groupIsEmpty));
    } catch (error) {
      this.#order.logger.error(
        { error: errorMessage(error) },
        "could not look for what a process left behind; killed its group",
      );
      sendSignal(-this.pid, "SIGKILL");
      return [];
    }
  }

  async #dialUntilReady(): Promise<void> {
    const { clock } = this.#order;
    for (let pauseMs = firstDialMs; this.#state === "starting"; pauseMs = Math.min(longestDialPauseMs, pauseMs * 1.5)) {
      const answers = await acceptsConnection(this.host, this.port);
      if (answers) this.#becomeReady();
      else await clock.sleep(pauseMs, this.#over.signal).catch(() => {});
    }
  }

  #becomeReady(): void {
    if (this.#state !== "starting") return;
    this.#state = "ready";
    this.#wasReady = true;
    this.#order.events.onReady();
  }

  /** Reads at the pace of the process whatever becomes of its lines: a full pipe would make it wait. */
  #follow(output: Readable | null, stream: OutputStream): void {
    const { label, lineBytes, log } = this.#order;
    const splitter = new LineSplitter(lineBytes, (line, wasCut) => {
      if (stream === "stderr") this.#lastLines.push(line);
      log.write(stream, label, line, wasCut);
    });
    output?.on("data", (chunk: Buffer) => splitter.push(chunk));
    output?.on("end", () => splitter.end());
    output?.on("error", () => {});
  }
}

function spawnChild({ id, spec, port }: InstanceOrder): ChildProcess {
  const [command = "", ...args] = spec.command;
  return spawn(command, args, {
    ...(spec.cwd !== undefined && { cwd: spec.cwd }),
    env: environmentOf(spec, port, id),
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** What the configuration sets wins over a fixed port, which is given to the process for its convenience only. */
function environmentOf(spec: ResourceSpec, port: number, id: string): Record<string, string> {
  const own = Object.fromEntries(Object.entries(spec.env).map(([name, value]) => [name, String(value)]));
  return { ...hostEnvironment(), [spec.portEnv]: String(port), ...own, [markVariable]: id };
}

async function exists(path: string | undefined): Promise<boolean> {
  if (path === undefined) return true;
  return access(path).then(
    () => true,
    () => false,
  );
}
