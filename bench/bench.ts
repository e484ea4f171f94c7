import { existsSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { BenchContext, fullSizes, quickSizes } from "./host/bench-context.ts";
import { nodeFromSource } from "./host/node-from-source.ts";
import { runBench } from "./run-bench.ts";

const usage = `Usage: npx pnpm@12 bench [--quick] [--source]

Measures Dormouse on this machine and prints one table with the budgets beside the numbers.

  --quick    a few seconds: shows that everything is measured; the numbers mean little
  --source   run dormouse from its sources instead of the build
`;

const built = fileURLToPath(new URL("../packages/cli/dist/bin.js", import.meta.url));
const source = fileURLToPath(new URL("../packages/cli/src/bin.ts", import.meta.url));

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    source: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) process.stdout.write(usage);
else process.exitCode = await main(values.quick, values.source);

async function main(quick: boolean, fromSource: boolean): Promise<number> {
  const problem = whyNot(fromSource);
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
    process.stdout.write(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? "CPU"}\n`);
    process.stdout.write(`${await runBench(context)}\n`);
    return 0;
  } finally {
    await context[Symbol.asyncDispose]();
  }
}

function whyNot(fromSource: boolean): string | undefined {
  if (process.platform !== "linux") return "the bench reads CPU times from /proc, which only Linux has";
  if (!fromSource && !existsSync(built)) return "there is no build yet: run npx pnpm@12 build, or give --source";
  return undefined;
}

async function stop(context: BenchContext): Promise<void> {
  await context[Symbol.asyncDispose]();
  process.exit(130);
}
