import { setTimeout as sleep } from "node:timers/promises";
import type { Fault, Trials } from "../fault.ts";
import { FaultStage } from "../fault-stage.ts";
import { momentsOf } from "../moment.ts";
import type { StagePlan } from "../stage-plan.ts";
import type { Tally } from "../tally.ts";

const burst = { method: "POST", path: "/?gate=answer", body: "on its way" };

/** The connections to the service are reset: its machine or something in between has lost them. */
export const serviceResets: Fault = {
  name: "service-resets",
  title: "service: connections reset",
  run: (trials) => strikeRelay(trials, "SIGHUP", { mayRefuse: ["DLX_TARGET_UNREACHABLE"] }),
};

/** The connections to the service carry nothing any more, and nobody closes them: a cable, a firewall that forgot. */
export const serviceHalfOpen: Fault = {
  name: "service-half-open",
  title: "service: connections half-open",
  run: (trials) =>
    strikeRelay(trials, "SIGUSR2", {
      mayRefuse: ["DLX_TARGET_TIMEOUT"],
      struck: { policy: { responseTimeout: "500ms" } },
    }),
};

function strikeRelay(trials: Trials, signal: NodeJS.Signals, plan: StagePlan): Promise<Tally> {
  const { struck } = plan;
  return FaultStage.play({ ...plan, struck: { ...struck, program: "relay" } }, async (stage) => {
    for (const moment of momentsOf(trials)) {
      await moment.reach(stage);
      const answers = stage.traffic.burst(4, burst);
      await sleep(trials.random() * 20);
      const relay = stage.servicePid("relay");
      if (relay !== undefined && stage.gates.isOpen(`relay.${relay}`)) {
        stage.noteEndOfService();
        process.kill(relay, signal);
        stage.countStrike();
      }
      moment.leave(stage);
      await answers;
      await stage.recovered();
    }
  });
}
