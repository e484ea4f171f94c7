import { setTimeout as sleep } from "node:timers/promises";
import type { Proof } from "../proof.ts";
import type { Demo } from "../stage/demo.ts";
import { idleRules } from "../stage/metrics-adapter.ts";
import type { Tally } from "../tally.ts";
import { whyNoAdapter } from "./direct.ts";

/** How often the tool puts everything right that differs from its files; real ones take minutes, or seconds after a change. */
const everyMs = 7_000;

/** The tool may cut several tries to sleep in a row, and the pause between these grows. */
const asleepWithinMs = 150_000;

const watchedMs = { whole: 20_000, quick: 10_000 };

/** What the tool has no file for: the annotations and the selector key that Dormouse writes. */
const reverted = {
  deployment: { "dormouse.dev/epoch": null, "dormouse.dev/wake-replicas": null },
  service: { "dormouse.dev/route": null },
};

/** The tool removes all of Dormouse's own annotations and the selector key, again and again. */
export const gitops: Proof = {
  name: "gitops",
  title: "a GitOps tool reverts annotations and key: no flapping, nothing lost",
  whyNot: whyNoAdapter,
  plans: [{ policy: { "idle-after": "1s", "idle-rules": idleRules }, isMeasured: true }],
  run: async ({ demo, tally, isQuick }) => {
    const ended = new AbortController();
    const reverting = revertUntil(demo, ended.signal, tally);
    try {
      await watch(demo, tally, isQuick);
    } finally {
      ended.abort();
      await reverting;
    }
    tally.compare(await demo.ledger());
  },
};

async function watch(demo: Demo, tally: Tally, isQuick: boolean): Promise<void> {
  await demo.untilAsleep(asleepWithinMs);
  const asleep = await demo.deployment();
  await sleep(isQuick ? watchedMs.quick : watchedMs.whole);
  const later = await demo.deployment();
  const changes = (later.metadata.generation ?? 0) - (asleep.metadata.generation ?? 0);
  tally.claim(later.spec.replicas === 0, "it did not stay asleep");
  tally.claim(changes <= 1, `its specification changed ${String(changes)} times while nobody used it`);
  for (let round = 0; round < 3; round += 1) {
    tally.add(await demo.fromPod({ prefix: `wake-${String(round)}-`, count: 5, overMs: 1_000, serviceMs: 20 }));
    tally.add(await demo.fromHost({ prefix: `use-${String(round)}-`, count: 15, overMs: 4_000, serviceMs: 20 }));
    await demo.untilAsleep(asleepWithinMs);
  }
}

async function revertUntil(demo: Demo, signal: AbortSignal, tally: Tally): Promise<void> {
  while (!signal.aborted) {
    await demo.patch({ metadata: { annotations: reverted.deployment } });
    await demo.patchService({
      metadata: { annotations: reverted.service },
      spec: { selector: { "dormouse.dev/diverted": null } },
    });
    tally.countRound();
    await sleep(everyMs, undefined, { signal }).catch(() => {});
  }
}
