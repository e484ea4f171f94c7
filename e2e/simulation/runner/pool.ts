import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { Violation } from "../world/checks.ts";
import type { RequestCounts } from "../world/request-ledger.ts";

export interface WorkerSetup {
  /** The hole that the thread's code has; left out: none. */
  readonly mutant: string | undefined;
}

export interface Job {
  readonly seed: number;
}

/** What one seed came to, as it crosses threads. */
export interface SeedReport {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly steps: number;
  readonly tookMs: number;
  readonly requests: RequestCounts;
  readonly met: readonly [string, number][];
  readonly endings: readonly [string, number][];
}

export interface PoolOptions {
  readonly first: number;
  readonly count: number;
  readonly mutant?: string;
  readonly threads?: number;
  /** Told of each seed as it ends; false ends the pool. */
  readonly onReport: (report: SeedReport) => boolean;
}

/** Runs seeds on as many threads as there are processors. Rejects where a thread fails. */
export async function runSeeds({ first, count, mutant, threads, onReport }: PoolOptions): Promise<void> {
  const workers: Worker[] = [];
  let next = first;
  let goesOn = true;
  const take = (): Job | undefined => (goesOn && next < first + count ? { seed: next++ } : undefined);
  const work = async (): Promise<void> => {
    const worker = new Worker(new URL("worker.ts", import.meta.url), {
      workerData: { mutant } satisfies WorkerSetup,
      execArgv: process.execArgv,
    });
    workers.push(worker);
    await runThread(worker, take, (report) => {
      goesOn = onReport(report) && goesOn;
    });
  };
  try {
    const most = Math.min(count, threads ?? availableParallelism());
    await Promise.all(Array.from({ length: most }, () => work()));
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

function runThread(worker: Worker, take: () => Job | undefined, onReport: (report: SeedReport) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.on("error", reject);
    worker.on("message", (message: SeedReport | "ready") => {
      if (message !== "ready") onReport(message);
      const job = take();
      if (job === undefined) resolve();
      else worker.postMessage(job);
    });
  });
}
