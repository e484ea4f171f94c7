import { execFileSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import type { SendOptions } from "../../harness/traffic.ts";
import type { Fault } from "../fault.ts";
import { FaultStage } from "../fault-stage.ts";
import { randomMoments, sleepMoments, wakeMoments } from "../moment.ts";

/** Of these the host serves some 70 clients at once, the load and whoever came before included; a few more are told that it has no room. */
const descriptors = 256;
const bursts = { few: 66, many: 400 };

/** For so long no file can be opened: these are taken since the host's start. */
const none = { descriptors: 10, forMs: 400 };

const question: SendOptions = { method: "POST", path: "/?gate=answer", body: "one of many" };
const mayRefuse = ["DLX_OVERLOADED", "DLX_TARGET_UNREACHABLE", "SCALER_START_FAILED"];

/** More clients than the host has file descriptors, and none left for a while: who is not served is told so, and then all is well. */
export const fewDescriptors: Fault = {
  name: "few-descriptors",
  title: `file descriptors: ${descriptors}, then none`,
  whyNot: () => (canLimit() ? undefined : "prlimit is missing: apt-get install util-linux"),
  run: (trials) => {
    const wrapper = ["prlimit", `--nofile=${descriptors}:${descriptors}`];
    return FaultStage.play({ launch: { wrapper }, isBare: true, mayRefuse }, async (stage) => {
      const random = randomMoments(trials, trials.times).map(
        (moment, index) => [moment, strikes[index % 3] ?? crowd] as const,
      );
      const steps = [...sleepMoments(trials), ...wakeMoments(trials)].map((moment) => [moment, takeAll] as const);
      for (const [moment, strike] of [...random, ...steps]) {
        await moment.reach(stage);
        stage.countStrike();
        await strike(stage, () => moment.leave(stage));
        await stage.recovered();
      }
    });
  },
};

/** Each is answered or refused. */
async function crowd(stage: FaultStage, leave: () => void): Promise<void> {
  const answers = stage.traffic.burst(bursts.few, question);
  leave();
  await answers;
}

/** More than can be told anything. */
async function crush(stage: FaultStage, leave: () => void): Promise<void> {
  const end = stage.noteNoConnections(bursts.many);
  const answers = stage.traffic.burst(bursts.many, question);
  leave();
  await answers;
  end();
}

/** Not one for a new connection, process or file. */
async function takeAll(stage: FaultStage, leave: () => void): Promise<void> {
  const { pid } = stage.host;
  const limit = (count: number): void =>
    void execFileSync("prlimit", ["--pid", String(pid), `--nofile=${count}:${descriptors}`]);
  const end = stage.noteNoConnections(bursts.few);
  limit(none.descriptors);
  leave();
  await sleep(none.forMs);
  limit(descriptors);
  end();
}

const strikes = [crowd, crush, takeAll] as const;

function canLimit(): boolean {
  try {
    execFileSync("prlimit", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
