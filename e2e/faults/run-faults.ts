import { whyNotBuilt } from "./built-dormouse.ts";
import type { Fault } from "./fault.ts";
import { type FaultOptions, parseFaultOptions } from "./fault-options.ts";
import { type FaultResult, isPassed, toConclusion, toFaultTable, toRemarks } from "./fault-table.ts";
import { faults } from "./faults.ts";
import { watchInterrupts } from "./interrupts.ts";
import { seededRandom } from "../harness/seeded-random.ts";
import { toTally } from "./tally.ts";

const names = faults.map(({ name }) => name);

/** Faults that run beside each other, each with a host of its own: they wait more than they work. */
const atOnce = 2;

const usage = `Usage: npx pnpm@12 test:faults [--times N] [--seed N] [--only NAME]…

Runs the product as it is built under load, does to it what machines do, and counts what was lost and what was executed twice.

  --times   strikes of each fault at random moments; each step of a wake and a sleep comes a third as often. Default: 3
  --seed    repeats the random moments of an earlier run, which printed it
  --only    just this: ${names.join(", ")}
`;

watchInterrupts();
process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  try {
    const options = parseFaultOptions(args, names, Math.floor(Math.random() * 1_000_000));
    if (options.help) process.stdout.write(usage);
    else return await runAll(options);
  } catch (error) {
    process.stderr.write(`${describe(error)}\n`);
    return 2;
  }
  return 0;
}

async function runAll(options: FaultOptions): Promise<number> {
  const unbuilt =
    process.platform === "linux" ? whyNotBuilt() : "processes are looked at in /proc, which only Linux has";
  if (unbuilt !== undefined) throw new Error(unbuilt);
  process.stdout.write(`seed ${options.seed}, ${options.times} random moments of each fault and every step\n`);
  const results = await runChosen(options);
  process.stdout.write(`\n${toFaultTable(results)}\n\n`);
  for (const remark of toRemarks(results)) process.stdout.write(`${remark}\n`);
  process.stdout.write(`${toConclusion(results)}\n`);
  return results.every((result) => result.kind === "not-run" || isPassed(result.tally)) ? 0 : 1;
}

/** In the order of the table, some at once. */
async function runChosen(options: FaultOptions): Promise<readonly FaultResult[]> {
  const chosen = faults.filter(({ name }) => options.only.length === 0 || options.only.includes(name));
  const results: FaultResult[] = [];
  const work = chosen.entries();
  const runRest = async (): Promise<void> => {
    for (const [index, fault] of work) {
      results[index] = await runFault(fault, options);
      process.stderr.write(`${fault.title}: done\n`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, runRest));
  return results;
}

async function runFault(fault: Fault, { times, seed }: FaultOptions): Promise<FaultResult> {
  const whyNot = await fault.whyNot?.();
  if (whyNot !== undefined) return { kind: "not-run", fault, whyNot };
  const begin = performance.now();
  const trials = { times, random: seededRandom(seed, fault.name) };
  const tally = await fault.run(trials).catch((error: unknown) => toTally([], [], 0, 0, [describe(error)]));
  return { kind: "run", fault, tally, tookMs: performance.now() - begin };
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
