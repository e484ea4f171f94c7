import { fileURLToPath } from "node:url";
import type { BenchContext } from "../host/bench-context.ts";
import type { ChildProgram } from "../host/child-program.ts";
import { nodeFromSource } from "../host/node-from-source.ts";

const script = fileURLToPath(new URL("../children/burst-client.ts", import.meta.url));

/** So many requests at once, each over a connection of its own. */
export interface BurstOrder {
  readonly origin: string;
  /** The Host header. */
  readonly host: string;
  readonly count: number;
}

/** What came of it. */
export interface BurstResult {
  /** Answers that were the service's own to just that request. */
  readonly answered: number;
  /** What came instead, with how often. */
  readonly problems: readonly string[];
}

/** A process that sends many requests at once. */
export class BurstClient {
  readonly #program: ChildProgram;

  constructor(context: BenchContext) {
    this.#program = context.start([...nodeFromSource, script], { ipc: true });
  }

  /** Resolves once all are answered. */
  async send(order: BurstOrder): Promise<BurstResult> {
    return (await this.#program.ask(order)) as BurstResult;
  }
}
