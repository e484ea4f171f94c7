import { setTimeout as sleep } from "node:timers/promises";
import type { Fault, Trials } from "../fault.ts";
import { FaultStage } from "../fault-stage.ts";
import { momentsOf, randomMoments } from "../moment.ts";
import { limits } from "../stage-plan.ts";
import { addTallies, type Tally } from "../tally.ts";

/** Shorter than any limit of a request, so that nothing has a reason to be refused. */
const shortMs = 700;

/** Longer than a service may take to answer: what came meanwhile may be too late. */
const longMs = limits.responseTimeoutMs + 500;

/** The host stands still, as in a debugger, a snapshot of its machine or a starved container, and goes on. */
export const hostStopped: Fault = {
  name: "host-stopped",
  title: "host: SIGSTOP, SIGCONT",
  run: async (trials) => addTallies(await stopForMoments(trials), await stopForLong(trials)),
};

function stopForMoments(trials: Trials): Promise<Tally> {
  return FaultStage.play({ delayMs: shortMs }, async (stage) => {
    for (const moment of momentsOf(trials)) {
      await moment.reach(stage);
      stage.host.signal("SIGSTOP");
      stage.countStrike();
      await sleep(trials.random() * shortMs);
      moment.leave(stage);
      stage.host.signal("SIGCONT");
      await stage.recovered();
    }
  });
}

function stopForLong(trials: Trials): Promise<Tally> {
  const mayRefuse = ["DLX_TARGET_TIMEOUT"];
  return FaultStage.play({ delayMs: longMs, mayRefuse, othersMayRefuse: mayRefuse }, async (stage) => {
    for (const moment of randomMoments(trials, Math.ceil(trials.times / 3))) {
      await moment.reach(stage);
      stage.host.signal("SIGSTOP");
      stage.countStrike();
      await sleep(longMs);
      stage.host.signal("SIGCONT");
      await stage.recovered();
    }
  });
}
