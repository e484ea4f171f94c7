import { shapeOf } from "../../examples/scaleit/load-curve.ts";
import { requestFault, usualFaults } from "../../examples/scaleit/request-fault.ts";
import type { ScaleItSample } from "../../examples/scaleit/scaleit-model.ts";
import { modelOf, runMs, sampleEveryMs, type ScaleItRun } from "./scaleit-run.ts";

const target = 0.8;
const tickEveryMs = 5_000;

/**
 * The plain loop: every 5 s `ceil(n * cpu / target)` replicas, at least one, unless the CPU is within the tolerance
 * (absolute; 0: none). A failed request is a tick in which nothing happens.
 */
export function holdByFormula(seed: number, tolerance: number): ScaleItRun {
  const model = modelOf(seed);
  const samples: ScaleItSample[] = [];
  for (let atMs = 0; atMs <= runMs; atMs += sampleEveryMs) {
    model.advanceTo(atMs);
    const sample = model.sample();
    samples.push(sample);
    const fails = (method: string): boolean => requestFault(seed, method, atMs, usualFaults) !== undefined;
    if (atMs % tickEveryMs !== 0 || fails("GET")) continue;
    const wanted = wantedReplicas(sample, tolerance);
    if (wanted !== sample.replicas && !fails("PUT")) model.setReplicas(wanted);
  }
  return { seed, shape: shapeOf(seed), samples };
}

function wantedReplicas({ cpu, replicas }: ScaleItSample, tolerance: number): number {
  if (Math.abs(cpu - target) <= tolerance) return replicas;
  return Math.max(1, Math.ceil((replicas * cpu) / target));
}
