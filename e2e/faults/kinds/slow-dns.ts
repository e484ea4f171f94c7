import { setTimeout as sleep } from "node:timers/promises";
import type { Fault } from "../fault.ts";
import { FaultStage } from "../fault-stage.ts";
import { momentsOf } from "../moment.ts";
import { askingSlowNames, SlowNames } from "../slow-names.ts";
import { struckName } from "../stage-plan.ts";
import { TemporaryFolder } from "../temporary-folder.ts";
import { whyNotMount } from "../why-not-mount.ts";

/** Of one look-up. A wake needs two, one after the other: whether it listens, and where. */
const delaysMs = { least: 150, more: 1_000 };

/** The service is known by a name, and names take long; for a while there are none at all. */
export const slowDns: Fault = {
  name: "slow-dns",
  title: "DNS: slow, then silent, then refusing",
  whyNot: async () => whyNotMount() ?? (await SlowNames.whyNot()),
  async run(trials) {
    const folder = new TemporaryFolder();
    const names = await SlowNames.open();
    const struck = { host: `${struckName}.dormouse.test` };
    try {
      const plan = {
        struck,
        launch: { wrapper: askingSlowNames(folder.path) },
        delayMs: 4_000,
        mayRefuse: ["DLX_WAKE_TIMEOUT"],
      };
      return await FaultStage.play(plan, async (stage) => {
        for (const moment of momentsOf(trials)) {
          names.delayMs = delaysMs.least + trials.random() * delaysMs.more;
          await moment.reach(stage);
          stage.countStrike();
          moment.leave(stage);
          await stage.recovered();
        }
        await failForAWhile(stage, names);
      });
    } finally {
      await names[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    }
  },
};

/** Nobody is woken meanwhile, what is awake goes on, and afterwards all is well. */
async function failForAWhile(stage: FaultStage, names: SlowNames): Promise<void> {
  for (const fail of [() => (names.delayMs = undefined), () => (names.refuses = true)]) {
    await stage.recovered();
    fail();
    stage.countStrike();
    await sleep(1_500);
    names.delayMs = 0;
    names.refuses = false;
    await stage.recovered();
  }
}
