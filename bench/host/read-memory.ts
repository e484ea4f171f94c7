import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { ChildProgram } from "./child-program.ts";
import { until } from "./until.ts";

const probe = new URL("../children/memory-probe.mjs", import.meta.url).href;

/** Memory of a process after a garbage collection, in bytes. */
export interface Memory {
  readonly resident: number;
  /** Live objects, and the buffers that belong to them. */
  readonly heap: number;
}

/** Reads the memory of one Node program that was started with `env`. */
export class MemoryReader {
  readonly env: Readonly<Record<string, string>>;
  readonly #report: string;

  /** @param folder where the program writes what it is asked for */
  constructor(folder: string) {
    this.#report = join(folder, "memory.json");
    this.env = { NODE_OPTIONS: `--import=${probe}`, MEMORY_REPORT: this.#report };
  }

  async read(program: ChildProgram): Promise<Memory> {
    rmSync(this.#report, { force: true });
    program.signal("SIGUSR2");
    await until("memory was reported", () => existsSync(this.#report) && this.#text().endsWith("}"));
    const usage = JSON.parse(this.#text()) as NodeJS.MemoryUsage;
    return { resident: usage.rss, heap: usage.heapUsed + usage.external };
  }

  #text(): string {
    return readFileSync(this.#report, "utf8");
  }
}

/** What one of `count` things weighs, of which there were none before. */
export function weightOfOne(before: Memory, after: Memory, count: number): Memory {
  return { resident: (after.resident - before.resident) / count, heap: (after.heap - before.heap) / count };
}
