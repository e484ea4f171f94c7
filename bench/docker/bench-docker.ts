import { loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { findEngine, howToEnable, openEngine } from "@dormouse/test-docker";
import { BenchContext, fullSizes } from "../host/bench-context.ts";
import { describeMachine } from "../report/describe-machine.ts";
import { dockerTable } from "./docker-table.ts";
import { measureDocker } from "./measure-docker.ts";
import { writeDockerPage } from "./write-docker-page.ts";

const usage = `Usage: npx pnpm@12 bench:docker [--quick] [--write] [--rounds N]

Measures a wake through Dormouse, from request to first byte, beside docker start alone.

  --quick   two rounds: shows that everything is measured
  --write   put the table into docs/docker.md
  --rounds  interleaved rounds (30)
`;

const built = fileURLToPath(new URL("../../packages/cli/dist/bin.js", import.meta.url));

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
    rounds: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) process.stdout.write(usage);
else await main();

async function main(): Promise<void> {
  const found = findEngine();
  if (found.kind === "none") {
    process.stderr.write(`There is ${found.why}. To enable: ${howToEnable}.\n`);
    process.exitCode = 1;
    return;
  }
  const rounds = Number(values.rounds ?? (values.quick ? 2 : 30));
  const context = new BenchContext(fullSizes, [process.execPath, built], (text) => process.stderr.write(`${text}\n`));
  process.once("exit", () => context.abandon());
  const before = describeMachine();
  const engine = await openEngine(found);
  try {
    const table = dockerTable(await measureDocker(context, engine.socket, rounds));
    const machine = `${before}, ${(loadavg()[0] ?? 0).toFixed(1)} after; ${String(rounds)} rounds`;
    process.stdout.write(`${machine}\n\n${table}\n`);
    if (values.write) writeDockerPage(machine, table);
  } finally {
    await context[Symbol.asyncDispose]();
    await engine[Symbol.asyncDispose]();
  }
}
