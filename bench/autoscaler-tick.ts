// Measures what one tick of the autoscaler costs over many resources, and prints it as one line of JSON.
// Usage: node --conditions=@dormouse/source bench/autoscaler-tick.ts [resources] [rounds]
import { createDlxSource, openAutoscaler } from "@dormouse/autoscaler";
import {
  type ActivityReport,
  configSchema,
  type DlxPeer,
  EventJournal,
  type IdleRule,
  type MetricsSource,
  openPort,
  type PartialPolicy,
  type PeerDiscovery,
  ResourceCatalog,
  silentLogger,
  SleepGate,
  soleLeader,
  systemClock,
  type TargetGoal,
} from "@dormouse/core";
import { openMemoryScaler } from "@dormouse/core/testing";

const resources = Number(process.argv[2] ?? 10_000);
const rounds = Number(process.argv[3] ?? 20);
const warmups = 5;

const idleRules: IdleRule[] = [
  { metric: "open", window: 60_000, threshold: 0, source: "prometheus" },
  { metric: "jobs", window: 300_000, threshold: 2, source: "prometheus" },
  { metric: "requests", window: 300_000, threshold: 100, source: "dlx" },
];

/** At its target, so that it is reckoned to the end and no count is changed. */
const target: TargetGoal = {
  metric: "cpu",
  value: 0.8,
  valueKind: "average",
  tolerance: 0.1,
  toleranceKind: "relative",
  source: "prometheus",
  window: 60_000,
};

/** Every resource known to the DLX, all used lately, so that each is decided to the end and none is put to sleep. */
function reportOf(process: string, names: readonly string[]): ActivityReport {
  const known = names.map((name) => ({
    ref: `memory/default/${name}`,
    inFlight: 0,
    held: 0,
    idleForMs: 20_000,
    requests: 7,
  }));
  return { process, startedAt: 0, uptimeMs: 3_600_000, resources: known };
}

function peersOf(names: readonly string[]): PeerDiscovery {
  const peers = ["dlx-1", "dlx-2"].map((id): DlxPeer => {
    const report = reportOf(id, names);
    const fence: DlxPeer["fence"] = async (_ref, attempt) => ({ process: id, attempt, inFlight: 0, held: 0 });
    return { id, readActivity: async () => report, fence };
  });
  return { listPeers: async () => peers, [Symbol.asyncDispose]: async () => {} };
}

/** Answers at once, and counts how often it is asked. */
class CountingSource implements MetricsSource {
  queries = 0;

  async read({ metric, resources }: Parameters<MetricsSource["read"]>[0]) {
    this.queries += 1;
    const value = metric === target.metric ? target.value : 0;
    return resources.map((ref) => ({ ref, value, ageMs: 0 }));
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** Every second one has idle rules, and half of these and of the others a target. */
function policyOf(index: number): PartialPolicy {
  return { ...(index % 2 === 0 && { idleRules }), ...(index % 4 < 2 && { target }) };
}

async function openWorld(names: readonly string[]) {
  const { guarded } = await openMemoryScaler({
    clock: systemClock,
    resources: names.map((name, index) => ({ name, desired: 1, policy: policyOf(index) })),
  });
  const catalog = new ResourceCatalog({ clock: systemClock, logger: silentLogger });
  catalog.follow(guarded);
  while (catalog.list().length < names.length) await systemClock.sleep(10);
  return { catalog, guarded };
}

async function measure(): Promise<object> {
  const names = Array.from({ length: resources }, (_, index) => `service-${String(index)}`);
  const { catalog, guarded } = await openWorld(names);
  const peers = peersOf(names);
  const prometheus = new CountingSource();
  const context = { id: "dlx", logger: silentLogger, clock: systemClock };
  const dlx = await openPort(createDlxSource(peers), undefined, context);
  const config = configSchema.parse({ scalers: [{ use: "memory" }], autoscaler: { every: "1h" } }).autoscaler;
  const autoscaler = await openAutoscaler({
    catalog,
    clock: systemClock,
    logger: silentLogger,
    journal: new EventJournal(systemClock),
    config,
    peers,
    elector: soleLeader,
    sources: new Map<string, MetricsSource>([
      ["prometheus", prometheus],
      ["dlx", dlx],
    ]),
    sleepGate: new SleepGate(systemClock),
    singleHost: false,
  });
  await autoscaler.tick();
  for (let round = 0; round < warmups; round += 1) await autoscaler.tick();
  prometheus.queries = 0;
  const cpuMs: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const before = process.cpuUsage();
    await autoscaler.tick();
    const { user, system } = process.cpuUsage(before);
    cpuMs.push((user + system) / 1_000);
  }
  const decision = autoscaler.lastDecision("memory/default/service-0");
  await autoscaler[Symbol.asyncDispose]();
  await catalog[Symbol.asyncDispose]();
  await guarded[Symbol.asyncDispose]();
  cpuMs.sort((one, other) => one - other);
  return {
    resources,
    rounds,
    cpuMs: { p50: cpuMs[Math.floor(rounds / 2)], max: cpuMs.at(-1) },
    queriesPerTick: prometheus.queries / rounds,
    decidedAs: decision?.reason,
    targetDecidedAs: decision?.target?.reason,
  };
}

console.log(JSON.stringify(await measure()));
