import { plainTable } from "../../harness/plain-table.ts";
import { type Mutant, mutants } from "./mutants.ts";
import { runSeeds, type SeedReport } from "./pool.ts";

export interface HuntOptions {
  /** Holes to look for; none: all. */
  readonly only: readonly string[];
  /** Seeds for each. */
  readonly most: number;
  readonly threads: number | undefined;
  readonly onProgress: (text: string) => void;
}

interface Hunted {
  readonly mutant: Mutant;
  readonly found: SeedReport | undefined;
  readonly seeds: number;
  readonly seconds: number;
}

/** Runs each mutant until a property breaks. Whether all were found, and a table that says when and how. */
export async function huntMutants(
  options: HuntOptions,
): Promise<{ readonly text: string; readonly missed: number; readonly found: number }> {
  const wanted = mutants.filter(({ hole }) => options.only.length === 0 || options.only.includes(hole));
  const hunted: Hunted[] = [];
  for (const mutant of wanted) {
    options.onProgress(`${mutant.hole}: ${mutant.title}`);
    hunted.push(await hunt(mutant, options));
  }
  const missed = hunted.filter(({ found }) => found === undefined).length;
  return { text: toTable(hunted), missed, found: hunted.length - missed };
}

async function hunt(mutant: Mutant, { most, threads }: HuntOptions): Promise<Hunted> {
  const begin = performance.now();
  const broken: SeedReport[] = [];
  let seeds = 0;
  const onReport = (report: SeedReport): boolean => {
    seeds += 1;
    if (report.violations.length > 0) broken.push(report);
    return broken.length === 0;
  };
  await runSeeds({ first: 1, count: most, mutant: mutant.hole, onReport, ...(threads !== undefined && { threads }) });
  const [found] = broken.toSorted((one, other) => one.seed - other.seed);
  return { mutant, found, seeds, seconds: (performance.now() - begin) / 1_000 };
}

function toTable(hunted: readonly Hunted[]): string {
  const heads = ["hole", "found by seed", "seeds run", "seconds", "broken", "what was put back"];
  return plainTable(
    heads,
    hunted.map(({ mutant, found, seeds, seconds }) => [
      mutant.hole,
      found === undefined ? "NOT FOUND" : found.seed,
      seeds,
      Number(seconds.toFixed(1)),
      found?.violations[0]?.property ?? "-",
      mutant.title,
    ]),
  );
}
