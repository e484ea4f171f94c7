import { globSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { until } from "../../harness/until.ts";
import type { Fault } from "../fault.ts";
import { FaultStage } from "../fault-stage.ts";
import { momentsOf } from "../moment.ts";
import { struckName } from "../stage-plan.ts";
import { TemporaryFolder } from "../temporary-folder.ts";

const [library] = globSync("/usr/lib/{*/,}faketime/libfaketimeMT.so.1");

/** Forth, back beyond where it came from, and home. */
const steps = ["+3600", "-3600", "+0"] as const;

/** Somebody sets the clock of the host's machine, by an hour at a time. */
export const clockStep: Fault = {
  name: "clock-step",
  title: "clock: steps of an hour",
  whyNot: () => (library === undefined ? "faketime is missing: apt-get install faketime" : undefined),
  async run(trials) {
    const folder = new TemporaryFolder();
    const file = join(folder.path, "clock");
    const set = (step: string): void => writeFileSync(file, step);
    set("+0");
    try {
      return await FaultStage.play({ launch: { env: fakeTime(file) } }, async (stage) => {
        for (const [index, moment] of momentsOf(trials).entries()) {
          const step = steps[index % steps.length] ?? "+0";
          await moment.reach(stage);
          set(step);
          stage.countStrike();
          await sleep(trials.random() * 100);
          moment.leave(stage);
          await stage.recovered();
          await expectClock(stage, Number(step) * 1_000);
        }
      });
    } finally {
      folder[Symbol.dispose]();
    }
  },
};

/** Steps the wall clock alone: the monotonic one never steps. */
function fakeTime(file: string): Readonly<Record<string, string>> {
  return {
    LD_PRELOAD: library ?? "",
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: "1",
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
    DONT_FAKE_MONOTONIC: "1",
    NO_FAKE_STAT: "1",
  };
}

/** The host does see the step: otherwise nothing would have been tried. */
async function expectClock({ host }: FaultStage, offsetMs: number): Promise<void> {
  await until("the host's clock stepped", async () => {
    const { lastActivityAt } = await host.resource(struckName);
    return Math.abs(Number(lastActivityAt) - Date.now() - offsetMs) < 60_000;
  });
}
