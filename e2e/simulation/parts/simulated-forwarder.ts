import type { ReachedTarget } from "@dormouse/dlx";
import type { Forwarder, Outgoing, Reply, Sending } from "@dormouse/dlx/testing";
import type { SimulatedProcess } from "../engine/simulated-process.ts";
import type { Weather } from "../engine/weather.ts";
import type { Instance } from "../platform/instance.ts";
import type { SimulatedPlatform } from "../platform/simulated-platform.ts";
import type { Executions } from "./executions.ts";

export interface SimulatedForwarderOptions {
  readonly process: SimulatedProcess;
  readonly platform: SimulatedPlatform;
  readonly weather: Weather;
  readonly executions: Executions;
  /** Told of each attempt as it begins. */
  readonly onSend: (request: string) => void;
  /** Told of a connection that broke by chance. */
  readonly onBroken: (when: "request-lost" | "answer-lost") => void;
}

/** Sends requests to instances over connections that it keeps, which break with their instance, and now and then by chance. */
export class SimulatedForwarder implements Forwarder {
  /** Idle connections that have served a request, by target. */
  readonly #idle = new Map<string, number>();
  readonly #options: SimulatedForwarderOptions;
  #attempts = 0;

  constructor(options: SimulatedForwarderOptions) {
    this.#options = options;
  }

  send(target: ReachedTarget, outgoing: Outgoing, reply: Reply, fresh: boolean): Sending {
    const id = idOf(outgoing);
    this.#options.onSend(id);
    this.#attempts += 1;
    const attempt = new Attempt({
      ...this.#options,
      target,
      id,
      reply,
      name: `${this.#options.process.name} forward ${String(this.#attempts)}`,
      isUsed: !fresh && this.#take(target),
      keep: () => this.#keep(target),
    });
    attempt.begin();
    return attempt;
  }

  retire(target: ReachedTarget): void {
    this.#idle.delete(target.id);
  }

  close(): void {
    this.#idle.clear();
  }

  #take(target: ReachedTarget): boolean {
    const idle = this.#idle.get(target.id) ?? 0;
    if (idle > 0) this.#idle.set(target.id, idle - 1);
    return idle > 0;
  }

  #keep(target: ReachedTarget): void {
    this.#idle.set(target.id, Math.min(256, (this.#idle.get(target.id) ?? 0) + 1));
  }
}

function idOf({ headers }: Outgoing): string {
  const at = headers.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === "x-request-id");
  return headers[at + 1] ?? "";
}

interface AttemptOptions extends SimulatedForwarderOptions {
  readonly target: ReachedTarget;
  readonly id: string;
  readonly reply: Reply;
  readonly name: string;
  /** The connection has served a request before. */
  readonly isUsed: boolean;
  readonly keep: () => void;
}

class Attempt implements Sending {
  readonly #options: AttemptOptions;
  #isOver = false;

  constructor(options: AttemptOptions) {
    this.#options = options;
  }

  begin(): void {
    const { isUsed, process, weather, name } = this.#options;
    const drawn = weather.fateOf(name, { text: "forward", at: process.clock.monotonic(), latestMs: 1_000 });
    const fate = { ...drawn, answerMs: Math.min(drawn.answerMs, 1_000) };
    if (isUsed) this.#soon(0, () => this.#write(fate));
    else {
      process.clock.setTimer(Math.min(fate.requestMs, 1), () => {
        if (this.#isOver) return;
        const instance = this.#instance();
        if (instance === undefined) this.#fail("unreachable", "nobody takes connections there");
        else this.#write(fate);
      });
    }
  }

  resume(): void {
    // The answers are too small for back-pressure.
  }

  abort(): void {
    this.#isOver = true;
  }

  #write({ requestMs, answerMs, fault }: ReturnType<Weather["fateOf"]>): void {
    if (this.#isOver) return;
    const { reply, executions, id, onBroken, target } = this.#options;
    reply.sent();
    reply.sentWhole();
    // From here on the bytes are under way, whatever becomes of this process.
    executions.carry(requestMs, () => {
      const instance = this.#instance();
      if (fault === "request-lost") {
        onBroken(fault);
        return this.#later(answerMs, () => this.#fail("broken", "the connection broke"));
      }
      if (instance === undefined) return this.#later(1, () => this.#fail("broken", `${target.id} is gone`));
      executions.execute(id, instance, (failure) => {
        const isLost = fault === "answer-lost" && failure === undefined;
        if (isLost) onBroken("answer-lost");
        if (failure !== undefined || isLost) executions.failed(id, failure ?? "its answer was lost");
        this.#later(answerMs, () => {
          if (failure !== undefined || isLost) this.#fail("broken", failure ?? "the connection broke");
          else this.#answer();
        });
      });
    });
  }

  #answer(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { reply, id, keep } = this.#options;
    const length = String(id.length);
    reply.replied();
    reply.began(200, "OK", ["Content-Type", "text/plain", "Content-Length", length]);
    reply.data(Buffer.from(id));
    reply.ended([]);
    keep();
  }

  #fail(kind: "unreachable" | "broken", why: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.reply.failed({ kind, stale: this.#options.isUsed, error: new Error(why) });
  }

  #instance(): Instance | undefined {
    const instance = this.#options.platform.instanceAt(this.#options.target.address);
    return instance?.takesConnections === true ? instance : undefined;
  }

  #soon(ms: number, act: () => void): void {
    this.#options.process.clock.setTimer(ms, act);
  }

  /** What comes from outside waits for nobody's timer: a process that has closed does not hear it. */
  #later(ms: number, act: () => void): void {
    this.#options.executions.carry(ms, () => this.#options.process.run(act));
  }
}
