import { fileURLToPath } from "node:url";
import type { BenchContext } from "../host/bench-context.ts";
import type { ChildProgram } from "../host/child-program.ts";
import { nodeFromSource } from "../host/node-from-source.ts";

const script = fileURLToPath(new URL("../children/load-generator.ts", import.meta.url));

/** So many requests over so many connections, each of which sends the next once it has its answer. */
export interface LoadOrder {
  readonly url: string;
  /** The Host header. */
  readonly host: string;
  readonly connections: number;
  readonly amount: number;
}

/** What came of it. */
export interface LoadResult {
  readonly answered: number;
  readonly failed: number;
  /** From the first request to the last answer. */
  readonly tookMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** A process that sends requests and does nothing else. */
export class LoadGenerator {
  readonly #program: ChildProgram;

  constructor(context: BenchContext) {
    this.#program = context.start([...nodeFromSource, script], { ipc: true });
  }

  async send(order: LoadOrder): Promise<LoadResult> {
    return (await this.#program.ask(order)) as LoadResult;
  }
}
