import type { Proof } from "../proof.ts";
import type { ClusterStage } from "../stage/cluster-stage.ts";
import type { Demo } from "../stage/demo.ts";
import { releaseName, releaseNamespace } from "../stage/release.ts";
import { expectRecovered } from "../stage/recovered.ts";
import type { Tally } from "../tally.ts";

/**
 * How long falling asleep may take after a rollout. A kubelet that has lost sight of a container that ended keeps its Pod
 * for a minute more; the DLX in it cannot be asked, so it may be in use until then, and nothing sleeps.
 */
const asleepWithinMs = 150_000;

/** Both parts are replaced pod by pod, as an upgrade does it, while requests are held, run, and come anew. */
export const rollouts: Proof = {
  name: "rollouts",
  title: "rolling updates of DLX and autoscaler under load and with held requests",
  isAlone: true,
  plans: [{ policy: { "idle-after": "2s", routing: "always" } }, { policy: { "idle-after": "1s" }, startMs: 8_000 }],
  run: async ({ stage, demos, tally }) => {
    const [busy, slow] = demos as [Demo, Demo];
    for (const part of ["dlx", "autoscaler"] as const) {
      await roll(stage, { busy, slow, part }, tally);
      await expectRecovered(busy, tally, `busy-${part}`, asleepWithinMs);
      await expectRecovered(slow, tally, `slow-${part}`, asleepWithinMs);
      tally.countRound();
    }
    tally.compare([...(await busy.ledger()), ...(await slow.ledger())]);
  },
};

interface Stand {
  readonly busy: Demo;
  readonly slow: Demo;
  readonly part: "dlx" | "autoscaler";
}

/** A load goes on until the rollout has ended; requests to the demo that starts slowly are held across it. */
async function roll({ tools, hosts }: ClusterStage, { busy, slow, part }: Stand, tally: Tally): Promise<void> {
  await slow.untilAsleep();
  let isOver = false;
  const load = async (from: "fromHost" | "fromPod"): Promise<void> => {
    for (let turn = 0; !isOver; turn += 1) {
      const prefix = `${part}-${from}-${String(turn)}-`;
      tally.add(await busy[from]({ prefix, count: 20, overMs: 1_000, serviceMs: 50, keepsAlive: true }));
    }
  };
  const loads = [load("fromHost"), load("fromPod")];
  const held = [
    slow.fromHost({ prefix: `${part}-held-host-`, count: 10, overMs: 3_000 }),
    slow.fromPod({ prefix: `${part}-held-pod-`, count: 10, overMs: 3_000 }),
  ];
  try {
    const where = ["--namespace", releaseNamespace];
    const what = `deployment/${releaseName}-${part}`;
    await tools.kubectl([...where, "rollout", "restart", what]);
    await tools.kubectl([...where, "rollout", "status", what, "--timeout", "100s"]);
    await hosts.untilReady(part);
  } finally {
    isOver = true;
    await Promise.all(loads);
  }
  for (const result of await Promise.all(held)) tally.add(result);
}
