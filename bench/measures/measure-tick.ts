import { fileURLToPath } from "node:url";
import type { BenchContext } from "../host/bench-context.ts";
import { nodeFromSource } from "../host/node-from-source.ts";

const script = fileURLToPath(new URL("../autoscaler-tick.ts", import.meta.url));

const [few, many] = [100, 10_000];

/** What one tick of the autoscaler costs. */
export interface TickFigures {
  readonly resources: number;
  /** CPU of one tick over that many resources, median, in ms. */
  readonly cpuMs: number;
  /** Metric queries of one tick over that many resources, and over a hundredth of them. */
  readonly queries: number;
  readonly queriesOfFew: number;
}

/** Runs ticks over many resources, and over few, each in a process of its own. */
export async function measureTick(context: BenchContext): Promise<TickFigures> {
  context.tell(`autoscaler: ticks over ${many} resources`);
  const [ofFew, ofMany] = [await runTicks(context, few), await runTicks(context, many)];
  return {
    resources: many,
    cpuMs: ofMany.cpuMs.p50,
    queries: ofMany.queriesPerTick,
    queriesOfFew: ofFew.queriesPerTick,
  };
}

interface TickReport {
  readonly cpuMs: { readonly p50: number };
  readonly queriesPerTick: number;
}

async function runTicks(context: BenchContext, resources: number): Promise<TickReport> {
  const program = context.start([...nodeFromSource, script, String(resources), String(context.sizes.ticks)]);
  const code = await program.ended();
  if (code !== 0) throw new Error(`the ticks ended with ${code}:\n${program.output}`);
  return JSON.parse(program.output.trim().split("\n").at(-1) ?? "") as TickReport;
}
