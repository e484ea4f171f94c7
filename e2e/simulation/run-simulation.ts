// npx pnpm@12 test:simulation; --help says what it takes.
import { huntMutants } from "./runner/hunt-mutants.ts";
import { runSeeds } from "./runner/pool.ts";
import { replay } from "./runner/replay.ts";
import { SeedTotals } from "./runner/seed-totals.ts";
import {
  help,
  parseSimulationOptions,
  type SimulationOptions,
  SimulationUsageError,
} from "./runner/simulation-options.ts";

/** How many failures are told in full. */
const toldFailures = 3;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  try {
    return await run(parseSimulationOptions(args));
  } catch (error) {
    if (!(error instanceof SimulationUsageError)) throw error;
    console.error(error.message);
    return 2;
  }
}

async function run(options: SimulationOptions): Promise<number> {
  if (options.kind === "help") {
    console.log(help);
    return 0;
  }
  if (options.kind === "replay") {
    const { text, held } = await replay(options);
    console.log(text);
    return held ? 0 : 1;
  }
  if (options.kind === "mutants") {
    const onProgress = (text: string): void => console.error(text);
    const { text, missed, found } = await huntMutants({ ...options, onProgress });
    console.log(`${text}\n\n${String(found)} passed, ${String(missed)} failed`);
    return missed === 0 ? 0 : 1;
  }
  return runMany(options);
}

async function runMany({ first, count, threads }: SimulationOptions & { readonly kind: "seeds" }): Promise<number> {
  const totals = new SeedTotals();
  const begin = performance.now();
  const onReport = (report: Parameters<SeedTotals["add"]>[0]): boolean => {
    totals.add(report);
    return totals.failed.length < 20;
  };
  await runSeeds({ first, count, onReport, ...(threads !== undefined && { threads }) });
  console.log(totals.toText((performance.now() - begin) / 1_000));
  const failed = totals.failed.toSorted((one, other) => one.seed - other.seed);
  for (const { seed, violations } of failed.slice(toldFailures))
    console.log(`seed ${String(seed)} broke ${violations[0]?.property ?? ""}: ${violations[0]?.what ?? ""}`);
  for (const { seed } of failed.slice(0, toldFailures)) {
    const { text } = await replay({ seed, mutant: undefined, isWhole: false });
    console.log(`\n${text}\n\nagain: npx pnpm@12 test:simulation --seed ${String(seed)}`);
  }
  for (const gap of totals.gaps) console.log(`no run came to this: ${gap.replace("|", ", ")}`);
  if (failed.length === 0) console.log("P1 to P7 held in all of them");
  console.log(`\n${String(totals.seeds - failed.length)} passed, ${String(failed.length)} failed`);
  return failed.length === 0 && totals.gaps.length === 0 ? 0 : 1;
}
