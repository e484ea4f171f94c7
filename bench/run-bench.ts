import type { BenchContext } from "./host/bench-context.ts";
import { compareProxies } from "./measures/compare-proxies.ts";
import { measureBursts } from "./measures/measure-burst.ts";
import { measureStart } from "./measures/measure-start.ts";
import { measureTick } from "./measures/measure-tick.ts";
import { measureWakes } from "./measures/measure-wakes.ts";
import type { BenchRow } from "./report/bench-row.ts";
import { benchTable, conclusion } from "./report/bench-table.ts";
import { burstRows, startRows, tickRows, wakeRows } from "./report/other-rows.ts";
import { proxyRows } from "./report/proxy-rows.ts";

type Measurement = (context: BenchContext) => Promise<readonly BenchRow[]>;

/** Everything that is measured, by name, in the order in which it is. */
export const measurements: Readonly<Record<string, Measurement>> = {
  proxies: async (context) => proxyRows(await compareProxies(context)),
  wakes: async (context) => wakeRows(await measureWakes(context), context.sizes.wakes),
  bursts: async (context) => burstRows(await measureBursts(context)),
  start: async (context) => startRows(await measureStart(context)),
  tick: async (context) => tickRows(await measureTick(context)),
};

/** Measures what is named and gives the table with its conclusion. */
export async function runBench(context: BenchContext, names: readonly string[]): Promise<string> {
  const rows: BenchRow[] = [];
  for (const name of names) rows.push(...((await measurements[name]?.(context)) ?? []));
  return `${benchTable(rows)}\n${conclusion(rows)}`;
}
