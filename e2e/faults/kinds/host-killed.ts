import { isRunning } from "../../harness/processes.ts";
import { until } from "../../harness/until.ts";
import type { Fault } from "../fault.ts";
import { FaultStage } from "../fault-stage.ts";
import { momentsOf } from "../moment.ts";

/** The kernel ends the host: its connections go with it, its children stay, and the next host ends them. */
export const hostKilled: Fault = {
  name: "host-killed",
  title: "host: SIGKILL, then started again",
  run: (trials) =>
    FaultStage.play({}, async (stage) => {
      for (const moment of momentsOf(trials)) {
        await moment.reach(stage);
        await killAndRestart(stage, () => moment.leave(stage));
        stage.resumeAll();
        await stage.recovered();
      }
    }),
};

async function killAndRestart(stage: FaultStage, leave: () => void): Promise<void> {
  const { host } = stage;
  stage.pauseAll();
  stage.noteEndOfHost();
  stage.countStrike();
  host.signal("SIGKILL");
  await host.ended();
  leave();
  const orphans = host.children.map(({ pid }) => pid);
  await host.restart();
  await until("the orphans were ended", () => !orphans.some(isRunning));
}
