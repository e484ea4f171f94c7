import { parseArgs } from "node:util";
import { systemClock } from "@dormouse/core";
import { loadCurve, type LoadShape, loadShapes, shapeOf } from "./load-curve.ts";
import { usualFaults } from "./request-fault.ts";
import { mostReplicas, ScaleItModel } from "./scaleit-model.ts";
import { openScaleItServer } from "./scaleit-server.ts";

const usage = `Usage: node examples/scaleit/scaleit.ts [options]

An application that reports its replicas and their CPU, and takes other numbers of replicas:

  GET /app/status     {"cpu": {"highPriority": 0.68}, "replicas": 10}
  PUT /app/replicas   {"replicas": 11}

Its load goes up and down by itself, and its answers fail at times. The same seed does the same again.

  --port N             default 8123; 0: any that is free
  --host ADDRESS       default 127.0.0.1
  --seed N             of load, noise and faults; default 1
  --shape NAME         of the load: ${loadShapes.join(", ")}; default: by the seed
  --speed N            simulated seconds in one; default 1
  --replicas N         at the start; default 10
  --error-rate N       share of the time in which requests get 500; default ${String(usualFaults.error)}
  --timeout-rate N     ... in which they get no answer; default ${String(usualFaults.timeout)}
  --broken-rate N      ... in which the JSON breaks off; default ${String(usualFaults.broken)}
`;

class UsageError extends Error {}

const text = { type: "string" } as const;

function read(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      port: { ...text, default: "8123" },
      host: { ...text, default: "127.0.0.1" },
      seed: { ...text, default: "1" },
      shape: text,
      speed: { ...text, default: "1" },
      replicas: { ...text, default: "10" },
      "error-rate": { ...text, default: String(usualFaults.error) },
      "timeout-rate": { ...text, default: String(usualFaults.timeout) },
      "broken-rate": { ...text, default: String(usualFaults.broken) },
      help: { type: "boolean", default: false },
    },
  });
  const seed = integer("--seed", values.seed, 0, Number.MAX_SAFE_INTEGER);
  return {
    help: values.help,
    host: values.host,
    port: integer("--port", values.port, 0, 65_535),
    seed,
    shape: values.shape === undefined ? shapeOf(seed) : toShape(values.shape),
    speed: number("--speed", values.speed, 0.001, 10_000),
    replicas: integer("--replicas", values.replicas, 1, mostReplicas),
    faults: {
      error: number("--error-rate", values["error-rate"], 0, 1),
      timeout: number("--timeout-rate", values["timeout-rate"], 0, 1),
      broken: number("--broken-rate", values["broken-rate"], 0, 1),
    },
  };
}

function toShape(name: string): LoadShape {
  const shape = loadShapes.find((each) => each === name);
  if (shape === undefined) throw new UsageError(`--shape is one of ${loadShapes.join(", ")}`);
  return shape;
}

function number(option: string, written: string, least: number, most: number): number {
  const value = written.trim() === "" ? NaN : Number(written);
  if (value >= least && value <= most) return value;
  throw new UsageError(`${option} is a number from ${String(least)} to ${String(most)}, not "${written}"`);
}

function integer(option: string, written: string, least: number, most: number): number {
  const value = number(option, written, least, most);
  if (Number.isInteger(value)) return value;
  throw new UsageError(`${option} is a whole number, not "${written}"`);
}

/** Serves until a signal ends it. */
async function serve(options: ReturnType<typeof read>): Promise<void> {
  const { seed, shape, replicas, speed } = options;
  const stopped = new Promise<void>((resolve) => {
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(name, () => resolve());
  });
  const model = new ScaleItModel({ seed, replicas, load: loadCurve(shape, seed) });
  const server = await openScaleItServer({ ...options, faults: () => options.faults, model, clock: systemClock });
  const pace = speed === 1 ? "" : `, ${String(speed)} times as fast`;
  process.stdout.write(
    `ScaleIt simulator at http://${options.host}:${String(server.port)}: ${shape} of seed ${String(seed)}${pace}\n`,
  );
  await stopped;
  await server[Symbol.asyncDispose]();
}

try {
  const options = read(process.argv.slice(2));
  if (options.help) process.stdout.write(usage);
  else await serve(options);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof UsageError || error instanceof TypeError ? 2 : 1;
}
