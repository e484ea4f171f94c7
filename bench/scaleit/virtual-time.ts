import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { setTimeout } from "node:timers/promises";
import type { FakeClock } from "@dormouse/core/testing";
import type { ScaleItServer } from "../../examples/scaleit/scaleit-server.ts";

/** Real ms in which nothing happens, after which work counts as waiting for virtual time. */
const patienceMs = 20;

/** Turns of the event loop in which what an answer sets going reaches its next request or its next timer. */
const settlingTurns = 12;

/**
 * Moves a clock on while real requests go to a simulated server over real sockets. Time stands still while a request or its
 * answer is on its way, so that a run depends on nothing but its seed; it goes on while all wait for time to pass, those
 * included that wait for an answer that never comes. Waits with jitter have their mean meanwhile.
 */
export class VirtualTime implements Disposable {
  readonly #clock: FakeClock;
  readonly #server: Pick<ScaleItServer, "port" | "counts">;
  readonly #random = Math.random;
  #sent = 0;
  #answered = 0;

  constructor(clock: FakeClock, server: Pick<ScaleItServer, "port" | "counts">) {
    this.#clock = clock;
    this.#server = server;
    Math.random = () => 0.5;
    subscribe("undici:request:create", this.#onSent);
    subscribe("undici:request:trailers", this.#onAnswered);
  }

  /** Runs until so much time (monotonic ms) has passed. */
  async runTo(endMs: number): Promise<void> {
    do await this.#settle();
    while (await this.#clock.step(endMs));
    await this.#clock.advance(endMs - this.#clock.monotonic());
  }

  /** Runs until some work is over, one timer at a time, each once nothing else has come of it for some real ms. */
  async runWhile<Result>(work: Promise<Result>): Promise<Result> {
    let isOver = false;
    const end = (): void => void (isOver = true);
    const over = work.then(end, end);
    for (;;) {
      await this.#settle();
      await Promise.race([over, setTimeout(patienceMs)]);
      if (isOver) return work;
      await this.#clock.step();
    }
  }

  [Symbol.dispose](): void {
    Math.random = this.#random;
    unsubscribe("undici:request:create", this.#onSent);
    unsubscribe("undici:request:trailers", this.#onAnswered);
  }

  readonly #onSent = (message: unknown): void => {
    if (this.#isOurs(message)) this.#sent += 1;
  };

  readonly #onAnswered = (message: unknown): void => {
    if (this.#isOurs(message)) this.#answered += 1;
  };

  #isOurs(message: unknown): boolean {
    const { request } = message as { readonly request: { readonly origin?: unknown } };
    return String(request.origin).endsWith(`:${String(this.#server.port)}`);
  }

  async #settle(): Promise<void> {
    for (let turns = 0; turns < settlingTurns; turns += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      if (!this.#isQuiet) turns = 0;
    }
  }

  /** All that was sent has come, and all that has come was answered or never will be. */
  get #isQuiet(): boolean {
    const { received, unanswered } = this.#server.counts;
    return received === this.#sent && this.#answered + unanswered === this.#sent;
  }
}
