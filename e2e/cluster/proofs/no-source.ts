import type { Proof } from "../proof.ts";

const count = { whole: 5, quick: 2 };

/** Without an idle rule the DLX is all that knows about traffic, so all of it passes there. */
export const noSource: Proof = {
  name: "no-source",
  title: "auto without a metrics source: every request passes a DLX, and it sleeps unused",
  plans: [{ policy: { "idle-after": "3s", routing: "auto" } }],
  run: async ({ stage, demo, tally, isQuick }) => {
    for (let round = 0; round < (isQuick ? count.quick : count.whole); round += 1) {
      await demo.untilAsleep();
      tally.add(await demo.fromHost({ prefix: `wake-${String(round)}-`, count: 1, overMs: 0 }));
      await demo.untilTrafficGoesTo("dlx");
      const before = await stage.hosts.counts(demo.ref);
      // Slow enough, so that it is in use until the counts are read again.
      tally.add(await demo.fromPod({ prefix: `warm-${String(round)}-`, count: 20, overMs: 500, serviceMs: 100 }));
      const seen = (await stage.hosts.counts(demo.ref)).requests - before.requests;
      tally.claim(seen === 20, `${String(seen)} of 20 warm requests passed a DLX`);
      tally.countRound();
    }
    await demo.untilAsleep();
    tally.compare(await demo.ledger());
  },
};
