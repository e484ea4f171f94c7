import { parseArgs } from "node:util";
import { mutants } from "./mutants.ts";

/** What a call of the simulation asks for. */
export type SimulationOptions =
  | { readonly kind: "help" }
  | { readonly kind: "seeds"; readonly first: number; readonly count: number; readonly threads: number | undefined }
  | { readonly kind: "replay"; readonly seed: number; readonly mutant: string | undefined; readonly isWhole: boolean }
  | {
      readonly kind: "mutants";
      readonly only: readonly string[];
      readonly most: number;
      readonly threads: number | undefined;
    };

/** Thrown with what is wrong with a call and how to mend it. */
export class SimulationUsageError extends Error {}

export const help = `Runs the shipped code of Dormouse in a simulated world: docs/protocol.md.

  test:simulation [--seeds N] [--first N] [--threads N]   so many runs, each by another seed
  test:simulation --seed N [--whole] [--mutant HOLE]      one run again, with its time line
  test:simulation --mutants [--only H1,H2] [--seeds N]    each hole put back: after how many runs it is found

  --seeds N     runs, 1 to 10000000 (default 1000; for each mutant 10000 at most)
  --first N     the first seed (default 1)
  --seed N      a whole number from 0 to 4294967295
  --whole       the schedule as it was drawn, not shortened
  --threads N   at once (default: one for each processor)

Exit codes: 0 all properties held, or all mutants were found; 1 not; 2 wrong usage.`;

/** @throws SimulationUsageError */
export function parseSimulationOptions(args: readonly string[]): SimulationOptions {
  const { values } = parse(args);
  const threads = values.threads === undefined ? undefined : toCount("--threads", values.threads, 1, 256);
  if (values.help === true) return { kind: "help" };
  if (values.mutants === true) {
    if (values.seed !== undefined)
      throw new SimulationUsageError("--mutants and --seed exclude each other; leave one out");
    const only = (values.only ?? "").split(",").filter((hole) => hole !== "");
    for (const hole of only) toHole(hole);
    return { kind: "mutants", only, threads, most: toCount("--seeds", values.seeds ?? "10000", 1, 10_000_000) };
  }
  if (values.only !== undefined) throw new SimulationUsageError("--only names mutants: add --mutants");
  if (values.seed !== undefined) {
    const mutant = values.mutant === undefined ? undefined : toHole(values.mutant);
    return { kind: "replay", seed: toSeed("--seed", values.seed), mutant, isWhole: values.whole === true };
  }
  if (values.mutant !== undefined)
    throw new SimulationUsageError("--mutant goes with --seed N; --mutants looks for all");
  return {
    kind: "seeds",
    first: toSeed("--first", values.first ?? "1"),
    count: toCount("--seeds", values.seeds ?? "1000", 1, 10_000_000),
    threads,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        seeds: { type: "string" },
        first: { type: "string" },
        seed: { type: "string" },
        threads: { type: "string" },
        only: { type: "string" },
        mutant: { type: "string" },
        mutants: { type: "boolean" },
        whole: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    throw new SimulationUsageError(`${(error as Error).message} --help lists the options.`);
  }
}

function toSeed(option: string, text: string): number {
  return toCount(option, text, 0, 4_294_967_295);
}

function toCount(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new SimulationUsageError(
    `${option} must be a whole number from ${String(least)} to ${String(most)}, not ${JSON.stringify(text)}`,
  );
}

function toHole(text: string): string {
  if (mutants.some(({ hole }) => hole === text)) return text;
  const known = mutants.map(({ hole }) => hole).join(", ");
  throw new SimulationUsageError(`there is no mutant ${JSON.stringify(text)}; there are ${known}`);
}
