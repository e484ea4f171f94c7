import type { BenchRow } from "../report/bench-row.ts";
import { atMost, figures, heading, mustHold } from "../report/bench-row.ts";
import { asKiB, asMs } from "../report/format-number.ts";
import { type AuditedRequest, isWrite } from "./audit-log.ts";
import type { Period, Rest, ScaleFigures, Settling, WarmStart } from "./measure-scale.ts";
import type { HostName } from "./scale-world.ts";

const names: readonly HostName[] = ["autoscaler", "dlx"];

/** CPU of a host at rest, as a share of one core. */
const restLimit = 0.02;
/** One tick with the answers of one DLX. */
const tickLimitMs = 50;

/** Requests of one kind that are worth no name of their own. */
const fewest = 5;

/** Everything that was measured, and what must hold. */
export function scaleRows(measured: ScaleFigures): readonly BenchRow[] {
  const { workloads, namespaces } = measured.sizes;
  const during = ({ from, to }: Period): readonly AuditedRequest[] =>
    measured.requests.filter(({ at }) => at >= from && at < to);
  const { rest, burst, cold, warm } = measured;
  return [
    heading(`At rest (${String(workloads)} Deployments in ${String(namespaces)} namespaces, all asleep)`),
    ...names.flatMap((name) => restRowsOf(name, measured, of(during(rest.period), name))),
    ...tickRows(rest),
    ...settlingRows("All annotated at once, hosts running", burst, during(burst.period)),
    ...settlingRows("A first start with all annotated", cold, during(cold.period)),
    ...warmRows(warm, during(warm.period)),
  ];
}

function of(requests: readonly AuditedRequest[], name: HostName): readonly AuditedRequest[] {
  return requests.filter(({ user }) => user === name);
}

function restRowsOf(
  name: HostName,
  { sizes, before, after, rest, listMs }: ScaleFigures,
  requests: readonly AuditedRequest[],
): readonly BenchRow[] {
  const share = rest.cpuMs[name] / (rest.minutes * 60_000);
  const added = after[name].memory.heap - before[name].memory.heap;
  const surplus = requests.filter(isSurplus);
  return [
    figures(`${name}: resident memory, the most and at last`, describeResident(rest, name)),
    figures(`${name}: heap after a garbage collection`, asMiB(after[name].memory.heap)),
    figures(`${name}: of this, for each managed workload`, asKiB(added / sizes.workloads)),
    figures(`${name}: file descriptors`, String(after[name].descriptors)),
    atMost(`${name}: CPU, share of one core`, share, restLimit, asPercent),
    figures(`${name}: API requests per minute`, perMinute(requests, rest.minutes)),
    mustHold(`${name}: of these, for a workload`, surplus.length === 0, totals(surplus), "0"),
    figures(`${name}: answers GET /v1/resources in`, asMs(listMs[name])),
  ];
}

function tickRows({ ticks, tickMs, minutes }: Rest): readonly BenchRow[] {
  return [
    figures("ticks per minute", (ticks / minutes).toFixed(1)),
    atMost("time of one tick, mean", tickMs, tickLimitMs, asMs),
  ];
}

function settlingRows(
  title: string,
  { slicesMs, settledMs, cpuMs }: Settling,
  requests: readonly AuditedRequest[],
): readonly BenchRow[] {
  return [
    heading(title),
    figures("until each Service has its slice", asSeconds(slicesMs)),
    figures("until all traffic is diverted and all is quiet", asSeconds(settledMs)),
    ...names.map((name) => figures(`${name}: CPU meanwhile`, asSeconds(cpuMs[name]))),
    ...names.map((name) => figures(`${name}: requests`, totals(of(requests, name)))),
  ];
}

function warmRows(
  { readyMs, listeningMs, cpuMs }: WarmStart,
  requests: readonly AuditedRequest[],
): readonly BenchRow[] {
  const writes = requests.filter(isWrite);
  return [
    heading("A restart of both, where all is in order"),
    ...names.map((name) => figures(`${name}: ready after`, asSeconds(readyMs[name]))),
    figures("dlx: listens at every port after", asSeconds(listeningMs)),
    ...names.map((name) => figures(`${name}: CPU until then`, asSeconds(cpuMs[name]))),
    ...names.map((name) => figures(`${name}: requests`, totals(of(requests, name)))),
    mustHold("writes", writes.length === 0, totals(writes), "0"),
  ];
}

/** Neither following, which includes a list every ten minutes, nor the lead, nor who the DLXs are. */
function isSurplus({ verb, resource }: AuditedRequest): boolean {
  return verb !== "watch" && verb !== "list" && resource !== "leases";
}

function perMinute(requests: readonly AuditedRequest[], minutes: number): string {
  return grouped(requests)
    .map(([what, count]) => `${(count / minutes).toFixed(1)} ${what}`)
    .join(", ");
}

function totals(requests: readonly AuditedRequest[]): string {
  const all = grouped(requests);
  const few = all.filter(([, count]) => count <= fewest).reduce((sum, [, count]) => sum + count, 0);
  const named = all.filter(([, count]) => count > fewest).map(([what, count]) => `${String(count)} ${what}`);
  return [
    ...named,
    ...(few > 0 || all.length === 0 ? [`${String(few)}${named.length > 0 ? " others" : ""}`] : []),
  ].join(", ");
}

function grouped(requests: readonly AuditedRequest[]): readonly (readonly [string, number])[] {
  const groups = Map.groupBy(requests, nameOf);
  return [...groups].map(([what, all]) => [what, all.length] as const).toSorted(([, one], [, other]) => other - one);
}

/** What the server serves is one question in many requests where it is older than 1.27. */
function nameOf({ verb, resource, status }: AuditedRequest): string {
  if (resource.startsWith("/")) return "for discovery";
  return `${verb} ${resource}${status >= 400 ? ` (${String(status)})` : ""}`;
}

function describeResident({ residentBytes }: Rest, name: HostName): string {
  const { most, last } = residentBytes[name];
  return `${asMiB(most)}, ${asMiB(last)}`;
}

function asMiB(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(0)} MiB`;
}

function asSeconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

function asPercent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}
