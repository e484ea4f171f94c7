import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ChildProgram, type ChildOptions } from "./child-program.ts";

/** How much is measured. */
export interface BenchSizes {
  /** Interleaved rounds of the comparison of proxies. */
  readonly rounds: number;
  readonly warmUpRequests: number;
  /** Requests of one CPU measurement. */
  readonly cpuRequests: number;
  /** Requests of one latency measurement. */
  readonly latencyRequests: number;
  readonly wakes: number;
  readonly burstRuns: number;
  readonly heldRequests: number;
  readonly neighbourRequests: number;
  readonly starts: number;
  /** Ticks of the autoscaler. */
  readonly ticks: number;
}

export const fullSizes: BenchSizes = {
  rounds: 5,
  warmUpRequests: 8_000,
  cpuRequests: 10_000,
  latencyRequests: 1_500,
  wakes: 50,
  burstRuns: 3,
  heldRequests: 2_000,
  neighbourRequests: 1_000,
  starts: 7,
  ticks: 20,
};

export const quickSizes: BenchSizes = {
  rounds: 1,
  warmUpRequests: 200,
  // Enough for nginx to use some of the ticks that CPU time is counted in.
  cpuRequests: 2_000,
  latencyRequests: 100,
  wakes: 3,
  burstRuns: 1,
  heldRequests: 100,
  neighbourRequests: 50,
  starts: 1,
  ticks: 2,
};

/** What every measurement works with: a folder, sizes, and the programs that must not outlive the bench. */
export class BenchContext implements AsyncDisposable {
  readonly sizes: BenchSizes;
  /** Command that runs `dormouse`. */
  readonly dormouse: readonly string[];
  readonly #folder = mkdtempSync(join(tmpdir(), "dormouse-bench-"));
  readonly #programs = new Set<ChildProgram>();
  readonly #tell: (text: string) => void;
  #folders = 0;

  constructor(sizes: BenchSizes, dormouse: readonly string[], tell: (text: string) => void) {
    this.sizes = sizes;
    this.dormouse = dormouse;
    this.#tell = tell;
  }

  /** Says what is being measured. */
  tell(text: string): void {
    this.#tell(text);
  }

  start(command: readonly string[], options?: ChildOptions): ChildProgram {
    const program = new ChildProgram(command, options);
    this.#programs.add(program);
    return program;
  }

  /** A new empty folder. */
  folder(): string {
    const folder = join(this.#folder, String(this.#folders++));
    mkdirSync(folder);
    return folder;
  }

  /** As its disposal, at once, for a process that is about to end. */
  abandon(): void {
    for (const program of this.#programs) program.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Ends every program that still runs and removes everything that was written. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#programs].map(async (program) => program.end()));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
