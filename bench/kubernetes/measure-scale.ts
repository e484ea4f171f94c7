import { systemClock } from "@dormouse/core";
import type { BenchContext } from "../host/bench-context.ts";
import type { Memory } from "../host/read-memory.ts";
import { until } from "../host/until.ts";
import { type AuditedRequest, isWrite } from "./audit-log.ts";
import { type HostChoice, type ScaleHost, type ScaleHosts, startHosts } from "./scale-host.ts";
import { type HostName, ScaleWorld, type WorldSize } from "./scale-world.ts";

/** How much is measured. */
export interface ScaleSizes extends WorldSize {
  /** How long the hosts are looked at while nothing happens, in ms. */
  readonly restMs: number;
}

/** No write for so long: everything is in order. */
const quietMs = 10_000;

/** Longest of all waits. */
const patienceMs = 600_000;

/** One host at one moment. */
interface HostState {
  readonly memory: Memory;
  readonly descriptors: number;
}

/** Both hosts at one moment. */
type States = Readonly<Record<HostName, HostState>>;

/** Epoch ms, from one to before the other. */
export interface Period {
  readonly from: number;
  readonly to: number;
}

/** From a beginning until all traffic is diverted and nothing is written any more. */
export interface Settling {
  /** Until each Service has its slice with the DLX's ports, in ms. */
  readonly slicesMs: number;
  /** Until the last write, in ms. */
  readonly settledMs: number;
  readonly cpuMs: Readonly<Record<HostName, number>>;
  readonly period: Period;
}

/** A while in which nothing happens. */
export interface Rest {
  readonly minutes: number;
  /** Of samples in bytes: the most of all, and the last one. */
  readonly residentBytes: Readonly<Record<HostName, { readonly most: number; readonly last: number }>>;
  readonly cpuMs: Readonly<Record<HostName, number>>;
  readonly period: Period;
  readonly ticks: number;
  /** Mean time of one tick, in ms. */
  readonly tickMs: number;
}

/** A start on a cluster in which everything is in order already. */
export interface WarmStart {
  /** Until each host says that it is ready, in ms since its spawn. */
  readonly readyMs: Readonly<Record<HostName, number>>;
  /** Until the DLX listens at every port, in ms since its spawn. */
  readonly listeningMs: number;
  readonly cpuMs: Readonly<Record<HostName, number>>;
  readonly period: Period;
}

/** All that was measured. */
export interface ScaleFigures {
  readonly sizes: ScaleSizes;
  /** With the Deployments there, but none of them managed. */
  readonly before: States;
  readonly after: States;
  readonly burst: Settling;
  readonly rest: Rest;
  readonly listMs: Readonly<Record<HostName, number>>;
  readonly warm: WarmStart;
  readonly cold: Settling;
  /** Of both hosts, over all of the time. */
  readonly requests: readonly AuditedRequest[];
}

/** Measures both hosts over many sleeping Deployments in an API server of its own. */
export async function measureScale(
  context: BenchContext,
  sizes: ScaleSizes,
  choice: HostChoice,
): Promise<ScaleFigures> {
  context.tell(`API server with ${String(sizes.workloads)} Deployments in ${String(sizes.namespaces)} namespaces`);
  const world = await ScaleWorld.open(context.folder(), sizes);
  try {
    return await measureIn(world, new ScaleBench(context, world, choice), context, sizes);
  } finally {
    await world[Symbol.asyncDispose]();
  }
}

async function measureIn(
  world: ScaleWorld,
  bench: ScaleBench,
  context: BenchContext,
  sizes: ScaleSizes,
): Promise<ScaleFigures> {
  const first = await bench.measureFirst(sizes);
  context.tell("a start where all is in order");
  const warm = await bench.measureWarmStart();
  context.tell("a start where nothing has been done yet");
  await world.forget();
  const cold = await bench.measureColdStart();
  // Only now: the server writes a watch down once it has ended.
  await systemClock.sleep(1_000);
  return { sizes, ...first, warm, cold, requests: world.audit.read(0) };
}

type FirstFigures = Pick<ScaleFigures, "before" | "after" | "burst" | "rest" | "listMs">;

class ScaleBench {
  readonly #context: BenchContext;
  readonly #world: ScaleWorld;
  readonly #choice: HostChoice;

  constructor(context: BenchContext, world: ScaleWorld, choice: HostChoice) {
    this.#context = context;
    this.#world = world;
    this.#choice = choice;
  }

  async measureFirst({ restMs }: ScaleSizes): Promise<FirstFigures> {
    return this.#withHosts(async (hosts) => this.#measureFirst(hosts, restMs));
  }

  async #measureFirst(hosts: ScaleHosts, restMs: number): Promise<FirstFigures> {
    await readyBoth(hosts);
    await systemClock.sleep(quietMs);
    const before = await statesOf(hosts);
    this.#context.tell("all of them are annotated at once");
    const burst = await this.#settle(hosts, () => this.#world.enable());
    const after = await statesOf(hosts);
    this.#context.tell(`${String(restMs / 1_000)} s of rest`);
    const rest = await this.#measureRest(hosts, restMs);
    const listMs = { dlx: await hosts.dlx.listMs(), autoscaler: await hosts.autoscaler.listMs() };
    return { before, after, burst, rest, listMs };
  }

  async measureWarmStart(): Promise<WarmStart> {
    const from = systemClock.now();
    return this.#withHosts(async (hosts) => this.#measureWarmStart(hosts, from));
  }

  async #measureWarmStart(hosts: ScaleHosts, from: number): Promise<WarmStart> {
    const { dlx, autoscaler } = hosts;
    const listening = this.#untilListening(dlx);
    const [ofDlx, ofAutoscaler] = await Promise.all([dlx.ready(), autoscaler.ready()]);
    const listeningMs = await listening;
    const cpuMs = cpuOf(hosts);
    // An autoscaler leads only once the former one's lease is free, and mends what it finds to mend then.
    await systemClock.sleep(3 * quietMs);
    const readyMs = { dlx: ofDlx, autoscaler: ofAutoscaler };
    return { readyMs, listeningMs, cpuMs, period: { from, to: systemClock.now() } };
  }

  async measureColdStart(): Promise<Settling> {
    return this.#withHosts(async (hosts) => this.#settle(hosts, () => readyBoth(hosts)));
  }

  async #withHosts<Result>(measure: (hosts: ScaleHosts) => Promise<Result>): Promise<Result> {
    const hosts = await startHosts(this.#context, this.#world, this.#choice);
    try {
      return await measure(hosts);
    } finally {
      await hosts[Symbol.asyncDispose]();
    }
  }

  /** Resolves once every Service leads to the DLX and nothing has been written for a while. */
  async #settle(hosts: ScaleHosts, begin: () => Promise<unknown>): Promise<Settling> {
    const { audit, workloads } = this.#world;
    const from = systemClock.now();
    const cpuBefore = cpuOf(hosts);
    await begin();
    const isSettled = async (): Promise<boolean> => {
      const lastWrite = lastDone(audit.read(from).filter(isWrite)) ?? from;
      const slices = await this.#world.slices();
      this.#context.tell(`  ${String(slices.made)} slices, ${String(slices.filled)} lead to the DLX`);
      return slices.filled >= workloads && systemClock.now() - lastWrite >= quietMs;
    };
    await until("every Service leads to the DLX", isSettled, 3_000, patienceMs).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${hosts.dlx.output}\n${hosts.autoscaler.output}`, { cause: error });
    });
    const requests = audit.read(from);
    const made = requests.filter(({ resource, verb }) => resource === "endpointslices" && verb === "create");
    const cpuAfter = cpuOf(hosts);
    return {
      slicesMs: (lastDone(made) ?? from) - from,
      settledMs: (lastDone(requests.filter(isWrite)) ?? from) - from,
      cpuMs: { dlx: cpuAfter.dlx - cpuBefore.dlx, autoscaler: cpuAfter.autoscaler - cpuBefore.autoscaler },
      period: { from, to: systemClock.now() },
    };
  }

  async #measureRest(hosts: ScaleHosts, restMs: number): Promise<Rest> {
    const { autoscaler } = hosts;
    const [from, cpuBefore] = [systemClock.now(), cpuOf(hosts)];
    const [ticksBefore, secondsBefore] = [await ticksOf(autoscaler), await tickSecondsOf(autoscaler)];
    const samples: Record<HostName, number[]> = { dlx: [], autoscaler: [] };
    while (systemClock.now() - from < restMs) {
      await systemClock.sleep(Math.min(5_000, restMs));
      for (const host of [hosts.dlx, hosts.autoscaler]) samples[host.name].push(host.residentBytes);
    }
    const to = systemClock.now();
    const cpuAfter = cpuOf(hosts);
    const ticks = (await ticksOf(autoscaler)) - ticksBefore;
    return {
      minutes: (to - from) / 60_000,
      residentBytes: { dlx: extent(samples.dlx), autoscaler: extent(samples.autoscaler) },
      cpuMs: { dlx: cpuAfter.dlx - cpuBefore.dlx, autoscaler: cpuAfter.autoscaler - cpuBefore.autoscaler },
      period: { from, to },
      ticks,
      tickMs: (1_000 * ((await tickSecondsOf(autoscaler)) - secondsBefore)) / ticks,
    };
  }

  async #untilListening(dlx: ScaleHost): Promise<number> {
    const { workloads } = this.#world;
    await until("the DLX listens at every port", () => dlx.descriptors >= workloads, 20, patienceMs);
    return systemClock.monotonic() - dlx.spawnedAt;
  }
}

async function readyBoth({ dlx, autoscaler }: ScaleHosts): Promise<void> {
  await Promise.all([dlx.ready(), autoscaler.ready()]);
}

async function statesOf({ dlx, autoscaler }: ScaleHosts): Promise<States> {
  return { dlx: await stateOf(dlx), autoscaler: await stateOf(autoscaler) };
}

async function stateOf(host: ScaleHost): Promise<HostState> {
  return { descriptors: host.descriptors, memory: await host.memory() };
}

function cpuOf({ dlx, autoscaler }: ScaleHosts): Readonly<Record<HostName, number>> {
  return { dlx: dlx.cpuMs, autoscaler: autoscaler.cpuMs };
}

function extent(samples: readonly number[]): { readonly most: number; readonly last: number } {
  return { most: Math.max(...samples), last: samples.at(-1) ?? Number.NaN };
}

function ticksOf(autoscaler: ScaleHost): Promise<number> {
  return autoscaler.metric("dormouse_autoscaler_tick_seconds_count");
}

function tickSecondsOf(autoscaler: ScaleHost): Promise<number> {
  return autoscaler.metric("dormouse_autoscaler_tick_seconds_sum");
}

function lastDone(requests: readonly AuditedRequest[]): number | undefined {
  return requests.reduce<number | undefined>((last, { doneAt }) => Math.max(last ?? doneAt, doneAt), undefined);
}
