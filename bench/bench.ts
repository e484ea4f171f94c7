import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { BenchContext, fullSizes, quickSizes } from "./host/bench-context.ts";
import { nodeFromSource } from "./host/node-from-source.ts";
import { describeMachine } from "./report/describe-machine.ts";
import { measurements, runBench } from "./run-bench.ts";

const usage = `Usage: npx pnpm@12 bench [--quick] [--source] [--only NAME]…

Measures Dormouse on this machine and prints one table with the budgets beside the numbers.

  --quick    a few seconds: shows that everything is measured; the numbers mean little
  --source   run dormouse from its sources instead of the build
  --only     measure just this: ${Object.keys(measurements).join(", ")}
`;

const built = fileURLToPath(new URL("../packages/cli/dist/bin.js", import.meta.url));
const source = fileURLToPath(new URL("../packages/cli/src/bin.ts", import.meta.url));

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    source: { type: "boolean", default: false },
    only: { type: "string", multiple: true, default: Object.keys(measurements) },
    help: { type: "boolean", default: false },
  },
});
if (values.help) process.stdout.write(usage);
else process.exitCode = await main(values);

interface BenchArguments {
  readonly quick: boolean;
  readonly source: boolean;
  readonly only: readonly string[];
}

async function main({ quick, source: fromSource, only }: BenchArguments): Promise<number> {
  const problem = whyNot(fromSource, only);
  if (problem !== undefined) {
    process.stderr.write(`${problem}\n`);
    return 2;
  }
  const dormouse = fromSource ? [...nodeFromSource, source] : [process.execPath, built];
  const context = new BenchContext(quick ? quickSizes : fullSizes, dormouse, (text) =>
    process.stderr.write(`${text}\n`),
  );
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(name, () => void stop(context));
  try {
    process.stdout.write(`${describeMachine()}\n`);
    process.stdout.write(`${await runBench(context, only)}\n`);
    return 0;
  } finally {
    await context[Symbol.asyncDispose]();
  }
}

function whyNot(fromSource: boolean, only: readonly string[]): string | undefined {
  const unknown = only.find((name) => !Object.hasOwn(measurements, name));
  if (unknown !== undefined) return `nothing is called ${unknown}: ${Object.keys(measurements).join(", ")}`;
  if (process.platform !== "linux") return "the bench reads CPU times from /proc, which only Linux has";
  if (!fromSource && !existsSync(built)) return "there is no build yet: run npx pnpm@12 build, or give --source";
  return undefined;
}

async function stop(context: BenchContext): Promise<void> {
  await context[Symbol.asyncDispose]();
  process.exit(130);
}
