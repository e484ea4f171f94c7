import type { Fault } from "../fault.ts";
import { FaultStage } from "../fault-stage.ts";
import { momentsOf } from "../moment.ts";

/** What a caller may be told: that nobody knows (a POST was with the service), or that it did not start. */
const mayRefuse = ["DLX_TARGET_UNREACHABLE", "SCALER_START_FAILED", "SCALER_CRASH_LOOP"];

/** The kernel ends the service with all requests that it has. */
export const serviceKilled: Fault = {
  name: "service-killed",
  title: "service: SIGKILL",
  run: (trials) =>
    FaultStage.play({ mayRefuse }, async (stage) => {
      for (const moment of momentsOf(trials)) {
        await moment.reach(stage);
        kill(stage);
        moment.leave(stage);
        await stage.recovered();
      }
    }),
};

function kill(stage: FaultStage): void {
  const pid = stage.servicePid();
  if (pid === undefined) return; // it sleeps: there is nothing to kill at this moment
  stage.noteEndOfService();
  stage.countStrike();
  process.kill(pid, "SIGKILL");
}
