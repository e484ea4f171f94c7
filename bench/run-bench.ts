import type { BenchContext } from "./host/bench-context.ts";
import { compareProxies } from "./measures/compare-proxies.ts";
import { measureBurst } from "./measures/measure-burst.ts";
import { measureStart } from "./measures/measure-start.ts";
import { measureWakes } from "./measures/measure-wakes.ts";
import { benchTable, conclusion } from "./report/bench-table.ts";
import { burstRows, startRows, wakeRows } from "./report/other-rows.ts";
import { proxyRows } from "./report/proxy-rows.ts";

/** Measures everything and gives the table with its conclusion. */
export async function runBench(context: BenchContext): Promise<string> {
  const rows = [
    ...proxyRows(await compareProxies(context)),
    ...wakeRows(await measureWakes(context), context.sizes.wakes),
    ...burstRows(await measureBurst(context)),
    ...startRows(await measureStart(context)),
  ];
  return `${benchTable(rows)}\n${conclusion(rows)}`;
}
