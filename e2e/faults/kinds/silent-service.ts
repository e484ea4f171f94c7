import type { SendOptions } from "../../harness/traffic.ts";
import { service } from "../../harness/stage.ts";
import type { Fault } from "../fault.ts";
import { FaultStage } from "../fault-stage.ts";
import { momentsOf } from "../moment.ts";
import { limits } from "../stage-plan.ts";

const name = "silent";
const policy = { idleAfter: "120ms", minAwake: 0, responseTimeout: "300ms", holdTimeout: `${limits.holdTimeoutMs}ms` };
const questions: readonly SendOptions[] = [
  { method: "POST", body: "anybody there?" },
  {},
  { method: "PUT", body: "x" },
];

/** A service takes requests and never answers: its callers are told so in time, and nobody else notices. */
export const silentService: Fault = {
  name: "silent-service",
  title: "service: accepts and never answers",
  run: (trials) =>
    FaultStage.play({ more: (gates) => [service(gates, name, { program: "silent", policy })] }, async (stage) => {
      const silent = stage.witness(name, ["DLX_TARGET_TIMEOUT"]);
      for (const moment of momentsOf(trials)) {
        await moment.reach(stage);
        stage.countStrike();
        const answers = await Promise.all(questions.map((question) => silent.burst(5, question)));
        moment.leave(stage);
        const wrong = answers.flat().filter(({ code }) => code !== "DLX_TARGET_TIMEOUT");
        if (wrong.length > 0) throw new Error(`the silent service got ${JSON.stringify(wrong[0])}`);
        await stage.recovered();
      }
    }),
};
