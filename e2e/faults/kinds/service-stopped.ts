import { setTimeout as sleep } from "node:timers/promises";
import { isRunning } from "../../harness/processes.ts";
import { until } from "../../harness/until.ts";
import { addTallies, type Tally } from "../tally.ts";
import type { Fault, Trials } from "../fault.ts";
import { FaultStage } from "../fault-stage.ts";
import { momentsOf, randomMoments } from "../moment.ts";
import { struckName } from "../stage-plan.ts";

/** Shorter than the response timeout, so that nothing has a reason to be refused. */
const longestStopMs = 700;

/** The service stands still for a while, or for ever: the kernel goes on accepting connections for it. */
export const serviceStopped: Fault = {
  name: "service-stopped",
  title: "service: SIGSTOP, SIGCONT or never",
  run: async (trials) => addTallies(await stopForAWhile(trials), await stopForEver(trials)),
};

function stopForAWhile(trials: Trials): Promise<Tally> {
  return FaultStage.play({ delayMs: longestStopMs }, async (stage) => {
    for (const moment of momentsOf(trials)) {
      await moment.reach(stage);
      const pid = stage.servicePid();
      if (pid !== undefined) {
        process.kill(pid, "SIGSTOP");
        stage.countStrike();
        await sleep(trials.random() * longestStopMs);
      }
      moment.leave(stage);
      if (pid !== undefined && isRunning(pid)) process.kill(pid, "SIGCONT");
      await stage.recovered();
    }
  });
}

/** Its requests are answered with 504, it is put to sleep, killed at the end of its grace, and the next request has a new one. */
function stopForEver(trials: Trials): Promise<Tally> {
  const plan = {
    mayRefuse: ["DLX_TARGET_TIMEOUT", "DLX_WAKE_TIMEOUT"],
    struck: { policy: { responseTimeout: "500ms" } },
  };
  return FaultStage.play(plan, async (stage) => {
    for (const moment of randomMoments(trials, Math.ceil(trials.times / 3))) {
      await moment.reach(stage);
      await stage.recovered();
      const pid = stage.servicePid();
      if (pid === undefined) continue;
      process.kill(pid, "SIGSTOP");
      stage.countStrike();
      await stage.traffic.burst(5, { method: "POST", body: "never executed" });
      stage.load.pause();
      await stage.quiet();
      await stage.host.untilState(struckName, "asleep");
      await until("the service was killed", () => !isRunning(pid));
      stage.load.resume();
      await stage.recovered();
    }
  });
}
