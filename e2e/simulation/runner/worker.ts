import { parentPort, workerData } from "node:worker_threads";
import type { Job, SeedReport, WorkerSetup } from "./pool.ts";
import { applyMutant } from "./apply-mutant.ts";
import { mutants } from "./mutants.ts";

// One thread of a pool: runs the seeds that it is given, one report for each. A mutant is in place before anything of ours is loaded.
const { mutant: hole } = workerData as WorkerSetup;
const mutant = mutants.find((each) => each.hole === hole);
if (mutant !== undefined) applyMutant(mutant);
const { drawScenario } = await import("../scenario/draw-scenario.ts");
const { runScenario } = await import("../world/run-scenario.ts");

parentPort?.on("message", ({ seed }: Job) => void run(seed));
parentPort?.postMessage("ready");

async function run(seed: number): Promise<void> {
  const result = await runScenario(drawScenario(seed));
  const { violations, steps, tookMs, requests, coverage } = result;
  const report: SeedReport = {
    seed,
    violations,
    steps,
    tookMs,
    requests,
    met: [...coverage.met],
    endings: [...coverage.endings],
  };
  parentPort?.postMessage(report);
}
