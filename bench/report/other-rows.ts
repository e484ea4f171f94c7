import type { Memory } from "../host/read-memory.ts";
import type { LoadResult } from "../measures/load-generator.ts";
import type { BurstFigures } from "../measures/measure-burst.ts";
import type { TickFigures } from "../measures/measure-tick.ts";
import type { WakeFigures } from "../measures/measure-wakes.ts";
import { median } from "../measures/statistics.ts";
import { atMost, type BenchRow, figures, heading, mustHold } from "./bench-row.ts";
import { asKiB, asMs, asRatio } from "./format-number.ts";

const wakeLimitMs = 15;
const heldLimit = 1.5;
const startLimitMs = 500;
const tickLimitMs = 100;
/** How much slower a neighbour's median request may be while a waiting room is full, in ms. */
const neighbourLimitMs = 1;

/** What a wake adds to the service's own start. */
export function wakeRows(wakes: WakeFigures, count: number): readonly BenchRow[] {
  return [
    heading(`A wake (${count} wakes)`),
    figures("cold request as a whole, p50", asMs(wakes.wholeP50)),
    figures("added once the service listens, p50", asMs(wakes.addedP50)),
    atMost("added once the service listens, p95", wakes.addedP95, wakeLimitMs, asMs),
    figures("added once it has a first connection, p50", asMs(wakes.beyondFirstConnectionP50)),
    atMost("added once it has a first connection, p95", wakes.beyondFirstConnectionP95, wakeLimitMs, asMs),
    figures("the method's own zero (starts by hand), p50 and p95", `${asMs(wakes.zeroP50)}, ${asMs(wakes.zeroP95)}`),
  ];
}

/** Many requests held at once; medians of all runs. */
export function burstRows(runs: readonly BurstFigures[]): readonly BenchRow[] {
  const sent = sumOf(runs, (run) => run.sent);
  const answered = sumOf(runs, (run) => run.answered);
  const problems = runs.flatMap((run) => run.problems);
  return [
    heading(`Bursts (${runs[0]?.burst ?? 0} requests to one sleeping service, twice)`),
    mustHold("answered by the service", answered === sent, [`${answered} of ${sent}`, ...problems].join("; "), "all"),
    ...weightRows(runs),
    ...neighbourRows(runs),
  ];
}

function weightRows(runs: readonly BurstFigures[]): readonly BenchRow[] {
  const [ours, bare] = [
    medianWeight(runs.map(({ weight }) => weight)),
    medianWeight(runs.map((run) => run.bareWeight)),
  ];
  return [
    figures("memory of one held request", describeWeight(ours)),
    figures("the same in a bare node:http server", describeWeight(bare)),
    atMost("memory of one, dormouse : bare", ours.resident / bare.resident, heldLimit, asRatio),
  ];
}

function medianWeight(weights: readonly Memory[]): Memory {
  return { resident: median(weights.map(({ resident }) => resident)), heap: median(weights.map(({ heap }) => heap)) };
}

function describeWeight({ resident, heap }: Memory): string {
  return `${asKiB(resident)}, of which heap ${asKiB(heap)}`;
}

function neighbourRows(runs: readonly BurstFigures[]): readonly BenchRow[] {
  const before = runs.map(({ neighbourBefore }) => neighbourBefore);
  const meanwhile = runs.map(({ neighbourMeanwhile }) => neighbourMeanwhile);
  const refused = sumOf(meanwhile, ({ failed }) => failed);
  const slowerMs = median(runs.map((run) => run.neighbourMeanwhile.p50Ms - run.neighbourBefore.p50Ms));
  return [
    figures("another service before", describeLatency(before)),
    figures("another service meanwhile", describeLatency(meanwhile)),
    mustHold("its requests refused meanwhile", refused === 0, String(refused), "0"),
    atMost("it is slower by, p50", slowerMs, neighbourLimitMs, asMs),
  ];
}

function describeLatency(results: readonly LoadResult[]): string {
  const [p50Ms, p99Ms] = [median(results.map((each) => each.p50Ms)), median(results.map((each) => each.p99Ms))];
  return `p50 ${asMs(p50Ms)}, p99 ${asMs(p99Ms)}`;
}

function sumOf<T>(list: readonly T[], pick: (each: T) => number): number {
  return list.reduce((sum, each) => sum + pick(each), 0);
}

/** The start of the host. */
export function startRows(startMs: number): readonly BenchRow[] {
  return [heading("A start"), atMost("dormouse up, from spawn to listening", startMs, startLimitMs, asMs)];
}

/** A tick of the autoscaler. */
export function tickRows({ resources, cpuMs, queries, queriesOfFew }: TickFigures): readonly BenchRow[] {
  return [
    heading(`A tick of the autoscaler (${resources} resources)`),
    atMost("CPU of one tick, p50", cpuMs, tickLimitMs, asMs),
    mustHold("metric queries of one tick", queries <= queriesOfFew, String(queries), `<= ${queriesOfFew}, as for 100`),
  ];
}
