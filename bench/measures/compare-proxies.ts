import type { BenchContext } from "../host/bench-context.ts";
import { type Contender, isMissing, type Missing } from "../proxies/contender.ts";
import { benchHost, openContenders } from "../proxies/open-contenders.ts";
import { LoadGenerator, type LoadResult } from "./load-generator.ts";
import { median } from "./statistics.ts";

/** Connections while CPU is measured: enough to keep every proxy busy. */
const busyConnections = 32;

/** What one contender shows, each the median of all rounds. */
export interface ProxyFigures {
  readonly name: string;
  /** CPU of the proxy's own processes for one request, in microseconds; NaN for the direct way. */
  readonly cpuUs: number;
  /** Latency over one connection, one request after the other, in ms. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answers over 32 connections, in 1/s. */
  readonly perSecond: number;
}

export interface Comparison {
  readonly figures: readonly ProxyFigures[];
  readonly missing: readonly Missing[];
}

/** Sends the same load through every proxy in turn, round after round, so that a change of the machine meets all. */
export async function compareProxies(context: BenchContext): Promise<Comparison> {
  const all = await openContenders(context);
  const present = all.filter((each): each is Contender => !isMissing(each));
  const generator = new LoadGenerator(context);
  const { sizes } = context;
  for (const { url } of present) await load(generator, url, busyConnections, sizes.warmUpRequests);
  const samples = new Map<string, ProxyFigures[]>(present.map(({ name }) => [name, []]));
  for (let round = 1; round <= sizes.rounds; round++) {
    context.tell(`proxies: round ${round} of ${sizes.rounds}`);
    for (const each of present) samples.get(each.name)?.push(await measureOnce(context, generator, each));
  }
  return {
    figures: [...samples].map(([name, rounds]) => medianOf(name, rounds)),
    missing: all.filter(isMissing),
  };
}

async function measureOnce(
  context: BenchContext,
  generator: LoadGenerator,
  contender: Contender,
): Promise<ProxyFigures> {
  const { cpuRequests, latencyRequests } = context.sizes;
  const cpuBeforeMs = contender.cpuMs?.() ?? Number.NaN;
  const busy = await load(generator, contender.url, busyConnections, cpuRequests);
  const cpuMs = (contender.cpuMs?.() ?? Number.NaN) - cpuBeforeMs;
  const calm = await load(generator, contender.url, 1, latencyRequests);
  return {
    name: contender.name,
    cpuUs: (cpuMs * 1_000) / busy.answered,
    p50Ms: calm.p50Ms,
    p99Ms: calm.p99Ms,
    perSecond: (busy.answered / busy.tookMs) * 1_000,
  };
}

async function load(generator: LoadGenerator, url: string, connections: number, amount: number): Promise<LoadResult> {
  const result = await generator.send({ url, host: benchHost, connections, amount });
  if (result.failed > 0 || result.answered < amount) {
    throw new Error(`${url}: ${result.answered} of ${amount} answered, ${result.failed} failed`);
  }
  return result;
}

function medianOf(name: string, rounds: readonly ProxyFigures[]): ProxyFigures {
  return {
    name,
    cpuUs: median(rounds.map(({ cpuUs }) => cpuUs)),
    p50Ms: median(rounds.map(({ p50Ms }) => p50Ms)),
    p99Ms: median(rounds.map(({ p99Ms }) => p99Ms)),
    perSecond: median(rounds.map(({ perSecond }) => perSecond)),
  };
}
