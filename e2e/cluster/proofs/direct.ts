import { setTimeout as sleep } from "node:timers/promises";
import type { Proof } from "../proof.ts";
import { bytesToDlxs } from "../stage/bytes-to-dlxs.ts";
import type { ClusterStage } from "../stage/cluster-stage.ts";
import type { Demo } from "../stage/demo.ts";
import { idleRules } from "../stage/metrics-adapter.ts";
import type { Tally } from "../tally.ts";

const count = { whole: 3, quick: 2 };

/** Of warm traffic, in each round. */
const load = { count: 60, bodyBytes: 100_000 };

/** Why a proof that rests on the custom metrics API cannot be tried. */
export function whyNoAdapter({ adapter }: ClusterStage): string | undefined {
  return adapter === undefined
    ? "set HOST_ADDRESS to an address of this machine that the API server reaches"
    : undefined;
}

/** Sleeps by custom metrics of traffic that no DLX sees, and what of warm traffic a DLX sees: nothing. */
export const direct: Proof = {
  name: "direct",
  title: "direct: custom metrics put it to sleep, warm traffic passes no DLX",
  isAlone: true,
  whyNot: whyNoAdapter,
  // Else it might fall asleep between two bursts, and traffic that comes then passes a DLX.
  plans: [{ policy: { "idle-after": "1s", "min-awake": "8s", "idle-rules": idleRules }, isMeasured: true }],
  run: async ({ stage, demo, tally, isQuick }) => {
    let bytes = 0;
    for (let round = 0; round < (isQuick ? count.quick : count.whole); round += 1) {
      bytes += await cycle(stage, demo, round, tally);
      tally.countRound();
    }
    tally.compare(await demo.ledger());
    const sent = tally.rounds * load.count * load.bodyBytes;
    tally.remark(
      `${megabytes(sent)} of warm requests; ${megabytes(bytes)} came to all DLX pods meanwhile, probes and all`,
    );
    tally.claim(bytes < sent / 10, `${String(bytes)} bytes came to the DLXs while ${String(sent)} were sent`);
    await neverByBrokenMetrics(stage, demo, tally, isQuick);
  },
};

/** Wakes, lets warm traffic through, lets it sleep. @returns bytes that came to the DLXs during the warm traffic */
async function cycle(stage: ClusterStage, demo: Demo, round: number, tally: Tally): Promise<number> {
  await demo.untilAsleep();
  tally.add(await demo.fromPod({ prefix: `wake-${String(round)}-`, count: 4, overMs: 500 }));
  await demo.untilTrafficGoesTo("pods");
  // kube-proxy follows; until then requests may still come to a DLX.
  await sleep(1_000);
  const bytes = await bytesToDlxs(stage);
  const { requests } = await stage.hosts.counts(demo.ref);
  const warm = await Promise.all([
    demo.fromHost({ prefix: `host-${String(round)}-`, ...load, count: load.count / 2, overMs: 1_000 }),
    demo.fromPod({ prefix: `pod-${String(round)}-`, ...load, count: load.count / 2, overMs: 1_000 }),
  ]);
  for (const result of warm) tally.add(result);
  const after = await stage.hosts.counts(demo.ref);
  tally.claim(after.requests === requests, `the DLXs saw ${String(after.requests - requests)} warm requests`);
  return (await bytesToDlxs(stage)) - bytes;
}

/** Nobody uses it, but nobody says so in a way that counts. */
async function neverByBrokenMetrics(
  { adapter, hosts }: ClusterStage,
  demo: Demo,
  tally: Tally,
  isQuick: boolean,
): Promise<void> {
  if (adapter === undefined) return;
  const modes = ["failing", "slow", "partial", "stale", "garbled"] as const;
  for (const mode of modes) {
    adapter.setMode(demo.name, mode);
    tally.add(await demo.fromHost({ prefix: `${mode}-`, count: 1, overMs: 0 }));
    const asked = adapter.asked(demo.name);
    await sleep(isQuick ? 6_000 : 8_000);
    tally.claim(adapter.asked(demo.name) > asked, `${mode}: nobody asked the adapter`);
    const { replicas } = (await demo.deployment()).spec;
    tally.claim(replicas > 0, `it slept while the custom metrics API was ${mode}: ${await hosts.why(demo.ref)}`);
  }
  adapter.setMode(demo.name, "right");
  const begin = performance.now();
  await demo.untilAsleep();
  const seconds = ((performance.now() - begin) / 1_000).toFixed(1);
  tally.remark(`awake while the API was ${modes.join(", ")}; asleep ${seconds} s after it was right again`);
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(2)} MB`;
}
