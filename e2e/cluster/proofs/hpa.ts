import { setTimeout as sleep } from "node:timers/promises";
import { until } from "../../harness/until.ts";
import type { Proof } from "../proof.ts";

/** The controller looks every 15 seconds. */
const patienceMs = 90_000;

/** The HPA owns 1→N and has no metrics here, so it only keeps the count within its bounds, which is seen all the same. */
export const hpa: Proof = {
  name: "hpa",
  title: "an HPA owns the count above 0, and lets it sleep",
  plans: [{ policy: { "idle-after": "1s" } }],
  run: async ({ demo, tally }) => {
    const path = `/apis/autoscaling/v1/namespaces/${demo.name}/horizontalpodautoscalers`;
    const target = { apiVersion: "apps/v1", kind: "Deployment", name: "web" };
    await demo.api.post(path, {
      metadata: { name: "web" },
      spec: { scaleTargetRef: target, minReplicas: 2, maxReplicas: 4, targetCPUUtilizationPercentage: 80 },
    });
    for (const least of [2, 3]) {
      await demo.api.patch(`${path}/web`, { spec: { minReplicas: least } });
      let turn = 0;
      await until(
        `the HPA raised the count to ${String(least)}`,
        async () => {
          // In use, so that it does not sleep meanwhile.
          tally.add(await demo.fromHost({ prefix: `use-${String(least)}-${String(turn++)}-`, count: 2, overMs: 600 }));
          return (await demo.deployment()).spec.replicas === least;
        },
        patienceMs,
      );
      await demo.untilAsleep();
      // Longer than the controller's period.
      await sleep(16_000);
      tally.claim((await demo.deployment()).spec.replicas === 0, "the HPA woke it, or it did not sleep");
      tally.add(await demo.fromPod({ prefix: `wake-${String(least)}-`, count: 4, overMs: 100 }));
      const { replicas } = (await demo.deployment()).spec;
      tally.claim(replicas === least, `it woke with ${String(replicas)} instead of the ${String(least)} of the HPA`);
      tally.countRound();
    }
    tally.compare(await demo.ledger());
  },
};
