import { setTimeout as sleep } from "node:timers/promises";
import { until } from "../../harness/until.ts";
import type { Proof } from "../proof.ts";
import type { ClusterStage } from "../stage/cluster-stage.ts";
import type { Demo } from "../stage/demo.ts";
import { idleRules } from "../stage/metrics-adapter.ts";
import { expectRecovered } from "../stage/recovered.ts";
import type { Tally } from "../tally.ts";
import { whyNoAdapter } from "./direct.ts";

interface Deed {
  readonly name: string;
  do(stage: ClusterStage, demo: Demo, tally: Tally): Promise<void>;
}

const deeds: readonly Deed[] = [
  {
    name: "slice-deleted-asleep",
    do: async (_stage, demo) => {
      await demo.untilAsleep();
      await demo.untilTrafficGoesTo("dlx");
      for (const slice of await demo.slices()) await demo.deleteSlice(slice);
      await demo.untilTrafficGoesTo("dlx");
      await untilReached(demo, "slice-asleep");
    },
  },
  {
    name: "key-added-awake",
    do: async (_stage, demo, tally) => {
      await wake(demo, tally, "key-added");
      await demo.untilTrafficGoesTo("pods");
      await demo.patchService({ spec: { selector: { "dormouse.dev/diverted": "true" } } });
      await until("the key was taken away", async () => !(await demo.route()).hasKey, 60_000);
      await untilReached(demo, "key-added");
    },
  },
  {
    name: "key-removed-asleep",
    do: async (_stage, demo) => {
      await demo.untilAsleep();
      // While they end, the key is all that keeps traffic from them.
      await until("its Pods had gone", async () => (await demo.allPods()).length === 0, 60_000);
      await demo.patchService({ spec: { selector: { "dormouse.dev/diverted": null } } });
    },
  },
  {
    name: "slice-deleted-awake",
    do: async (_stage, demo, tally) => {
      await wake(demo, tally, "slice-awake");
      for (const slice of await demo.slices()) await demo.deleteSlice(slice);
      await until("the slice was there again", async () => (await demo.slices()).length > 0, 60_000);
      await untilReached(demo, "slice-awake");
    },
  },
  { name: "rollout-restart", do: restart },
  { name: "kubectl-scale", do: scaleByHand },
  { name: "annotation-edited", do: editAnnotation },
];

/** People and their tools do what they do, in a cluster where Dormouse is at work. */
export const byHand: Proof = {
  name: "by-hand",
  title: "by hand: slice and key deleted, restart, scale, edited annotation",
  whyNot: whyNoAdapter,
  plans: [{ policy: { "idle-after": "1s", "idle-rules": idleRules }, isMeasured: true }],
  run: async ({ stage, demo, tally }) => {
    for (const deed of deeds) {
      await deed.do(stage, demo, tally).catch((error: unknown) => {
        throw new Error(`${deed.name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
      });
      tally.countRound();
      await expectRecovered(demo, tally, deed.name);
    }
    tally.compare(await demo.ledger());
    tally.remark(deeds.map(({ name }) => name).join(", "));
  },
};

/** Nodes learn later of what was broken, and still later of what was repaired. */
async function untilReached(demo: Demo, name: string): Promise<void> {
  await sleep(2_000);
  let tries = 0;
  await until("the service was reached again", async () => {
    const prefix = `${name}-try-${String(tries++)}-`;
    const probes = { prefix, count: 1, overMs: 0, limitMs: 5_000 };
    const results = await Promise.all([demo.fromHost(probes), demo.fromPod({ ...probes, prefix: `${prefix}pod-` })]);
    return results.every(({ failures }) => failures.length === 0);
  });
}

async function wake(demo: Demo, tally: Tally, name: string): Promise<void> {
  tally.add(await demo.fromPod({ prefix: `${name}-wake-`, count: 1, overMs: 0 }));
}

/**
 * Under requests: the rollout goes on, and none of them is lost. They pass the DLXs, since a Pod of this server stops
 * listening before all kube-proxies know.
 */
async function restart({ tools }: ClusterStage, demo: Demo, tally: Tally): Promise<void> {
  await demo.patch({
    metadata: { annotations: { "dormouse.dev/routing": "always", "dormouse.dev/idle-after": "10s" } },
  });
  await wake(demo, tally, "restart");
  await until("all traffic was diverted", async () => (await demo.route()).hasKey, 60_000);
  await sleep(1_000);
  const before = (await demo.pods()).map(({ metadata }) => metadata.uid);
  const load = demo.fromPod({ prefix: "restart-load-", count: 60, overMs: 6_000, serviceMs: 20 });
  await tools.kubectl(["--namespace", demo.name, "rollout", "restart", "deployment/web"]);
  await tools.kubectl(["--namespace", demo.name, "rollout", "status", "deployment/web", "--timeout", "60s"]);
  const after = (await demo.pods()).map(({ metadata }) => metadata.uid);
  tally.claim(after.length === 1 && !before.includes(after[0] ?? ""), "kubectl rollout restart replaced no Pod");
  tally.add(await load);
  await demo.patch({ metadata: { annotations: { "dormouse.dev/routing": null, "dormouse.dev/idle-after": "1s" } } });
}

/** A count that somebody sets is the count of the next wake. */
async function scaleByHand({ tools }: ClusterStage, demo: Demo, tally: Tally): Promise<void> {
  await wake(demo, tally, "scale");
  await tools.kubectl(["--namespace", demo.name, "scale", "deployment/web", "--replicas", "2"]);
  await demo.untilAsleep();
  await wake(demo, tally, "scaled");
  const { replicas } = (await demo.deployment()).spec;
  tally.claim(replicas === 2, `scaled to 2 by hand, it woke with ${String(replicas)}`);
  await tools.kubectl(["--namespace", demo.name, "scale", "deployment/web", "--replicas", "1"]);
  // A Pod of this server that a person stops listens no more before nodes know; its traffic passes no DLX.
  await until("one Pod was left", async () => (await demo.pods()).length === 1, 60_000);
  await untilReached(demo, "scaled-down");
}

/** It is left alone from the next moment on, and comes back with all its traffic; and the other way round. */
async function editAnnotation(_stage: ClusterStage, demo: Demo, tally: Tally): Promise<void> {
  await demo.untilAsleep();
  await demo.patch({ metadata: { annotations: { "dormouse.dev/enabled": "false" } }, spec: { replicas: 1 } });
  await demo.untilAwake();
  await demo.untilTrafficGoesTo("pods");
  tally.add(await demo.fromHost({ prefix: "disabled-", count: 3, overMs: 100 }));
  await sleep(5_000);
  const { replicas } = (await demo.deployment()).spec;
  tally.claim(replicas === 1, "with dormouse.dev/enabled false it was put to sleep");
  await demo.patch({ metadata: { annotations: { "dormouse.dev/enabled": "true" } } });
}
