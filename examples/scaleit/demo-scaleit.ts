import { parseArgs } from "node:util";
import { runScaleItDemo } from "./run-demo.ts";

const usage = `Usage: npx pnpm@12 demo:scaleit [--seed N] [--minutes N] [--speed N] [--plot FILE]

Runs the ScaleIt simulator, faster than real time, and a real dormouse autoscaler that holds its CPU at 0.80, and draws
load, replicas and CPU. Ends by itself: 0 if the mean CPU was held, 1 if not.

  --seed N      of load, noise and faults; default 1
  --minutes N   simulated; default 15
  --speed N     simulated seconds in one; default 15
  --plot FILE   SVG; default scaleit-run.svg
`;

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    minutes: { type: "string", default: "15" },
    speed: { type: "string", default: "15" },
    plot: { type: "string", default: "scaleit-run.svg" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) process.stdout.write(usage);
else process.exitCode = await run();

async function run(): Promise<number> {
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => stop.abort(new Error(name)));
  const [seed, minutes, speed] = [Number(values.seed), Number(values.minutes), Number(values.speed)];
  if (!Number.isSafeInteger(seed) || seed < 0 || !(minutes > 0 && minutes <= 1_440) || !(speed >= 1 && speed <= 100)) {
    process.stderr.write(usage);
    return 2;
  }
  const write = (text: string): void => void process.stdout.write(text);
  try {
    return (await runScaleItDemo({ seed, minutes, speed, plot: values.plot, write, signal: stop.signal })) ? 0 : 1;
  } catch (error) {
    process.stderr.write(stop.signal.aborted ? "\nstopped; nothing is left running\n" : `${String(error)}\n`);
    return stop.signal.aborted ? 130 : 1;
  }
}
