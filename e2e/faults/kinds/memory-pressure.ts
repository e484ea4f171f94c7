import { memoryOf } from "../../harness/processes.ts";
import { builtDormouse } from "../built-dormouse.ts";
import type { Fault } from "../fault.ts";
import { FaultStage } from "../fault-stage.ts";
import { MemoryHog } from "../memory-hog.ts";
import { randomMoments, wakeMoments } from "../moment.ts";
import { struckName } from "../stage-plan.ts";

/** Of the host's heap; without any load it has a third of it. */
const heapMb = 96;

/** Resident, heap and buffers together, whatever is asked of it. */
const mostBytes = 450_000_000;

const most = { held: 1_500, burst: 2_000, uploads: 40 };
const small = "x".repeat(16_384);
const large = "x".repeat(2_000_000);

/** A host with little memory, beside a process that takes much, gets thousands of requests with bodies at once. */
export const memoryPressure: Fault = {
  name: "memory-pressure",
  title: `memory: a heap of ${heapMb} MB`,
  async run(trials) {
    const hog = await MemoryHog.open();
    const dormouse = [`--max-old-space-size=${heapMb}`, ...builtDormouse];
    const policy = { maxHeld: most.held, responseTimeout: "20s", holdTimeout: "20s" };
    try {
      const plan = {
        struck: { policy },
        isBare: true,
        mayRefuse: ["DLX_HOLD_FULL"],
        delayMs: 30_000,
        launch: { dormouse },
      };
      return await FaultStage.play(plan, async (stage) => {
        const { pid } = stage.host;
        for (const moment of [
          ...randomMoments(trials, Math.ceil(trials.times / 3)),
          ...wakeMoments(trials).slice(-2),
        ]) {
          await moment.reach(stage);
          stage.countStrike();
          const answers = stage.traffic.burst(most.burst, { method: "POST", body: small });
          await stage.host.untilResource(struckName, ({ held, inFlight }) => held + inFlight > 100);
          moment.leave(stage);
          await answers;
          await stage.traffic.burst(most.uploads, { method: "PUT", body: large });
          await stage.recovered();
        }
        const { peak } = memoryOf(pid);
        if (peak > mostBytes) throw new Error(`the host took ${peak} bytes; at most ${mostBytes} are explained`);
      });
    } finally {
      await hog[Symbol.asyncDispose]();
    }
  },
};
