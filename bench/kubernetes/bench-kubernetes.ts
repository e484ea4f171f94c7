import { loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { BenchContext, fullSizes } from "../host/bench-context.ts";
import { describeMachine } from "../report/describe-machine.ts";
import { benchTable, conclusion } from "../report/bench-table.ts";
import { measureScale, type ScaleSizes } from "./measure-scale.ts";
import { scaleRows } from "./scale-rows.ts";
import { writeScalePage } from "./write-scale-page.ts";

const usage = `Usage: npx pnpm@12 bench:kubernetes [--quick] [--write] [--workloads N] [--namespaces N] [--rest SECONDS]

Measures dormouse dlx and dormouse autoscaler over 1,000 sleeping Deployments in an API server of its own.

  --quick       50 Deployments and a short rest: shows that everything is measured
  --write       put the table into docs/kubernetes-scale.md
  --workloads   Deployments (1000)
  --namespaces  namespaces that they are spread over (20)
  --rest        how long the hosts are looked at at rest, in seconds (180)
  --profile     folder for CPU profiles of every process; they cost time
`;

const built = fileURLToPath(new URL("../../packages/cli/dist/bin.js", import.meta.url));

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
    workloads: { type: "string" },
    namespaces: { type: "string" },
    rest: { type: "string" },
    profile: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) process.stdout.write(usage);
else await main();

async function main(): Promise<void> {
  const context = new BenchContext(fullSizes, [process.execPath, built], (text) => process.stderr.write(`${text}\n`));
  process.once("exit", () => context.abandon());
  // Later than whatever else hears the signal: the API server is taken down by its own.
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.once(name, () => setImmediate(() => process.exit(130)));
  const before = describeMachine();
  try {
    const choice = values.profile === undefined ? {} : { profiles: values.profile };
    const rows = scaleRows(await measureScale(context, sizesOf(), choice));
    const machine = `${before}, ${(loadavg()[0] ?? 0).toFixed(1)} after`;
    process.stdout.write(`${machine}\n${benchTable(rows)}\n${conclusion(rows)}\n`);
    if (values.write) writeScalePage(machine, rows);
  } finally {
    await context[Symbol.asyncDispose]();
  }
}

function sizesOf(): ScaleSizes {
  const { quick } = values;
  return {
    workloads: Number(values.workloads ?? (quick ? 50 : 1_000)),
    namespaces: Number(values.namespaces ?? (quick ? 2 : 20)),
    restMs: 1_000 * Number(values.rest ?? (quick ? 15 : 180)),
  };
}
