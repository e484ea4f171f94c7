import { setTimeout as sleep } from "node:timers/promises";
import { until } from "../../harness/until.ts";
import type { Proof } from "../proof.ts";
import type { ClusterStage } from "../stage/cluster-stage.ts";
import type { Demo } from "../stage/demo.ts";
import { killProcess, whyNoKill } from "../stage/kill-process.ts";
import { idleRules } from "../stage/metrics-adapter.ts";
import { expectRecovered } from "../stage/recovered.ts";
import type { Tally } from "../tally.ts";
import { whyNoAdapter } from "./direct.ts";

const randomMoments = { whole: 2, quick: 1 };

interface Moment {
  readonly name: string;
  /** Resolves when it is there. */
  reach(demo: Demo): Promise<void>;
}

/** What can be seen of a sleep from outside, in order; every one is a write to the API server. */
const steps: readonly Moment[] = [
  { name: "marked", reach: (demo) => untilEpochRises(demo) },
  {
    name: "diverted",
    reach: (demo) => seen(demo, "the DLXs in its traffic", async () => (await demo.route()).hasDlxs),
  },
  { name: "out of traffic", reach: (demo) => seen(demo, "the selector key", async () => (await demo.route()).hasKey) },
  { name: "draining", reach: async (demo) => drains(demo) },
  { name: "scaled to 0", reach: (demo) => demo.untilAsleep() },
];

/** The demo's traffic goes straight to its Pods, so that a sleep has all its steps. The leader dies at each of them. */
export const leaderKilled: Proof = {
  name: "leader-killed",
  title: "leader: SIGKILL in each step of a sleep, and at random moments",
  isAlone: true,
  whyNot: (stage) => whyNoKill(stage) ?? whyNoAdapter(stage),
  plans: [{ policy: { "idle-after": "1s", "idle-rules": idleRules }, isMeasured: true }],
  run: async ({ stage, demo, tally, isQuick, random }) => {
    const moments = [
      ...steps,
      ...Array.from({ length: isQuick ? randomMoments.quick : randomMoments.whole }, (_, index) => ({
        name: `random ${String(index)}`,
        reach: () => sleep(random.between(0, 6_000)),
      })),
    ];
    for (const moment of moments) await strike(stage, demo, moment, tally);
    tally.compare(await demo.ledger());
    tally.remark(`killed: ${moments.map(({ name }) => name).join(", ")}`);
  },
};

async function strike(stage: ClusterStage, demo: Demo, { name, reach }: Moment, tally: Tally): Promise<void> {
  await stage.hosts.untilReady("autoscaler");
  const leader = await stage.hosts.leader();
  const id = name.replaceAll(" ", "-");
  tally.add(await demo.fromHost({ prefix: `${id}-before-`, count: 2, overMs: 100 }));
  await demo.untilTrafficGoesTo("pods");
  await reach(demo);
  killProcess(leader);
  tally.countRound();
  await expectRecovered(demo, tally, id);
}

async function untilEpochRises(demo: Demo): Promise<void> {
  const epoch = async (): Promise<string | undefined> =>
    (await demo.deployment()).metadata.annotations?.["dormouse.dev/epoch"];
  const before = await epoch();
  await seen(demo, "a new epoch", async () => (await epoch()) !== before);
}

/** Half of the quiet period after the pods have left the traffic. */
async function drains(demo: Demo): Promise<void> {
  await seen(demo, "the selector key", async () => (await demo.route()).hasKey);
  await sleep(500);
}

async function seen(demo: Demo, what: string, probe: () => Promise<boolean>): Promise<void> {
  await until(`${demo.ref}: ${what}`, probe, 60_000);
}
