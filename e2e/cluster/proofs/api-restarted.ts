import { setTimeout as sleep } from "node:timers/promises";
import { until } from "../../harness/until.ts";
import type { Proof } from "../proof.ts";
import { whyNoKill } from "../stage/kill-process.ts";
import { expectRecovered } from "../stage/recovered.ts";

const count = { whole: 2, quick: 1 };

/** How long the API server stays away. */
const awayMs = 3_000;

/** Controllers, scheduler and kubelet take up to half a minute each to watch again. */
const asleepWithinMs = 150_000;

/** Requests come to a demo that sleeps; at a random moment of the wake the API server dies, and it comes back later. */
export const apiRestarted: Proof = {
  name: "api-restarted",
  title: "kube-apiserver: SIGKILL during a wake, back after 3 s",
  isAlone: true,
  whyNot: whyNoKill,
  plans: [{ policy: { "idle-after": "1s", "wake-timeout": "2m" } }],
  run: async ({ stage, demo, tally, isQuick, random }) => {
    let longestMs = 0;
    for (let round = 0; round < (isQuick ? count.quick : count.whole); round += 1) {
      await demo.untilAsleep(asleepWithinMs);
      const requests = Promise.all([
        demo.fromHost({ prefix: `host-${String(round)}-`, count: 5, overMs: 400 }),
        demo.fromPod({ prefix: `pod-${String(round)}-`, count: 5, overMs: 400 }),
      ]);
      await sleep(random.between(0, 1_500));
      await stage.cluster.stop("kube-apiserver", "KILL");
      await sleep(awayMs);
      await stage.cluster.start("kube-apiserver");
      tally.countRound();
      for (const result of await requests) {
        tally.add(result);
        longestMs = Math.max(longestMs, result.longestMs);
      }
      await until(
        "the API server answered",
        () =>
          stage.api.get("/readyz").then(
            () => true,
            () => false,
          ),
        60_000,
      );
      await expectRecovered(demo, tally, `after-${String(round)}`, asleepWithinMs);
    }
    tally.compare(await demo.ledger());
    tally.remark(`longest wait ${(longestMs / 1_000).toFixed(1)} s`);
  },
};
