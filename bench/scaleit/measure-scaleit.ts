import { holdByDormouse } from "./hold-by-dormouse.ts";
import { holdByFormula } from "./hold-by-formula.ts";
import type { ScaleItRun } from "./scaleit-run.ts";

/** The same application held in three ways. */
export interface SeedRuns {
  readonly seed: number;
  readonly dormouse: ScaleItRun;
  /** The formula at each tick. */
  readonly plain: ScaleItRun;
  /** The formula outside a tolerance of 0.1, as the reference loop of ScaleIt has it. */
  readonly tolerant: ScaleItRun;
}

/** Seeds that are measured; one for each shape of the load. */
export const measuredSeeds = [1, 2, 3, 4, 5] as const;

/** Runs one seed in all three ways. The same again gives the same. */
export async function measureSeed(seed: number): Promise<SeedRuns> {
  return {
    seed,
    dormouse: await holdByDormouse(seed),
    plain: holdByFormula(seed, 0),
    tolerant: holdByFormula(seed, 0.1),
  };
}
