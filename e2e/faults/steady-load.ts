import { setTimeout as sleep } from "node:timers/promises";
import type { SendOptions, Traffic } from "../harness/traffic.ts";
import type { Random } from "../harness/seeded-random.ts";

/** What one load sends. */
export interface LoadPlan {
  readonly traffic: Traffic;
  readonly clients: number;
  /** Each client waits for up to so long between two requests. */
  readonly longestPauseMs: number;
  /** Sent in turn. */
  readonly requests: readonly SendOptions[];
  readonly random: Random;
}

/** Clients that send one request after the other, until they are paused or stopped. */
export class SteadyLoad {
  readonly #plan: LoadPlan;
  readonly #clients: readonly Promise<void>[];
  #isOver = false;
  #resumed: PromiseWithResolvers<void> | undefined;
  #count = 0;

  constructor(plan: LoadPlan) {
    this.#plan = plan;
    this.#clients = Array.from({ length: plan.clients }, () => this.#run());
  }

  /** Nothing is sent from here on; what is open goes on. */
  pause(): void {
    this.#resumed ??= Promise.withResolvers();
  }

  resume(): void {
    this.#resumed?.resolve();
    this.#resumed = undefined;
  }

  /** Resolves once all clients have ended. */
  async stop(): Promise<void> {
    this.#isOver = true;
    this.resume();
    await Promise.all(this.#clients);
  }

  async #run(): Promise<void> {
    const { traffic, longestPauseMs, requests, random } = this.#plan;
    while (!this.#isOver) {
      await sleep(random() * longestPauseMs);
      while (this.#resumed !== undefined) await this.#resumed.promise;
      if (this.#isOver) return;
      await traffic.send(requests[this.#count++ % requests.length]);
    }
  }
}
