import type { Comparison, ProxyFigures } from "../measures/compare-proxies.ts";
import { atMost, type BenchRow, figures, heading, notMeasured } from "./bench-row.ts";
import { asMs, asRatio, asUs } from "./format-number.ts";

/** Against whom the CPU of one request is held, and how much of theirs it may be. */
const cpuBudgets = [
  { name: "http-proxy-3", limit: 0.8, isGoal: false },
  { name: "http-proxy-3, keep-alive", limit: 0.8, isGoal: false },
  { name: "Go ReverseProxy", limit: 0.5, isGoal: true },
  { name: "nginx", limit: 2, isGoal: true },
] as const;

const addedLimitMs = 1;

/** A warm request: what each proxy shows, and the budgets of the DLX. */
export function proxyRows(comparison: Comparison): readonly BenchRow[] {
  return [
    heading("A warm request (median of interleaved rounds)"),
    ...comparison.figures.map((each) => figures(each.name, describe(each))),
    ...comparison.missing.map(({ name, advice }) => figures(name, `not installed: ${advice}`)),
    ...cpuBudgets.map((budget) => cpuRow(comparison, budget)),
    figures("CPU, dormouse : HAProxy", describeRatio(comparison, "HAProxy")),
    addedRow(comparison),
  ];
}

function describe({ cpuUs, p50Ms, p99Ms, perSecond }: ProxyFigures): string {
  const cpu = Number.isNaN(cpuUs) ? "" : `CPU ${asUs(cpuUs)}, `;
  return `${cpu}p50 ${asMs(p50Ms)}, p99 ${asMs(p99Ms)}; ${perSecond.toFixed(0)}/s`;
}

function cpuRow(comparison: Comparison, { name, limit, isGoal }: (typeof cpuBudgets)[number]): BenchRow {
  const what = `CPU, dormouse : ${name}${isGoal ? " (goal)" : ""}`;
  const ratio = cpuRatio(comparison, name);
  return ratio === undefined
    ? notMeasured(what, asRatio(limit), describeRatio(comparison, name))
    : atMost(what, ratio, limit, asRatio);
}

function describeRatio(comparison: Comparison, name: string): string {
  const ratio = cpuRatio(comparison, name);
  return ratio === undefined ? `${name} is not installed` : asRatio(ratio);
}

function cpuRatio({ figures }: Comparison, name: string): number | undefined {
  const [ours, theirs] = [figures.find((each) => each.name === "dormouse"), figures.find((each) => each.name === name)];
  return ours === undefined || theirs === undefined ? undefined : ours.cpuUs / theirs.cpuUs;
}

function addedRow({ figures }: Comparison): BenchRow {
  const p50 = (name: string): number => figures.find((each) => each.name === name)?.p50Ms ?? Number.NaN;
  return atMost("latency added to a warm request, p50", p50("dormouse") - p50("direct"), addedLimitMs, asMs);
}
