import { setTimeout as sleep } from "node:timers/promises";
import { until } from "../harness/until.ts";
import type { Trials } from "./fault.ts";
import type { FaultStage } from "./fault-stage.ts";
import type { Random } from "../harness/seeded-random.ts";
import { struckName } from "./stage-plan.ts";

/** A moment at which a fault strikes. */
export interface Moment {
  readonly name: string;
  /** Resolves when it has come; the load goes on. */
  reach(stage: FaultStage): Promise<void>;
  /** Lets what waited at this moment go on. */
  leave(stage: FaultStage): void;
}

/** Longest wait from one random moment to the next: some sleeps and wakes come in between. */
const randomWithinMs = 900;

/** Requests get so long to come to what waits at a step before the fault strikes there. */
const atStepWithinMs = 60;

/**
 * Steps of a sleep at which the scaler waits, in their order. At `mark` the resource has been read, at `diverted` the drain
 * is about to begin, at `stop` the fence has come, and at `stopped` the answer to the stop is still missing.
 */
const sleepGates = ["mark", "marked", "diverted", "stop", "stopped"] as const;

/** Steps of a wake at which the scaler waits. */
const claimGates = ["claim", "claimed"] as const;

/** All moments of a trial: random ones, and each step of a sleep and of a wake. */
export function momentsOf(trials: Trials): readonly Moment[] {
  return [...randomMoments(trials, trials.times), ...sleepMoments(trials), ...wakeMoments(trials)];
}

/** Each step of a sleep. */
export function sleepMoments(trials: Trials): readonly Moment[] {
  return repeated(trials, sleepGates.map(sleepStep));
}

/** Each step of a wake. */
export function wakeMoments(trials: Trials): readonly Moment[] {
  return repeated(trials, [...claimGates.map(claimStep), started, listening, answering]);
}

function repeated({ times, random }: Trials, steps: readonly Step[]): readonly Moment[] {
  return Array.from({ length: Math.ceil(times / 3) }, () => steps.map((step) => step(random))).flat();
}

/** Random moments alone. */
export function randomMoments({ random }: Trials, times: number): readonly Moment[] {
  return Array.from({ length: times }, () => {
    const afterMs = random() * randomWithinMs;
    const reach = async (stage: FaultStage): Promise<void> => {
      await sleep(afterMs);
      stage.rush();
    };
    return { name: "random", reach, leave: () => {} };
  });
}

type Step = (random: Random) => Moment;

function sleepStep(gate: string): Step {
  return (random) => ({
    name: `sleep: ${gate}`,
    async reach(stage) {
      await settle(stage);
      await reachGate(stage, gate, random, () => attractSleep(stage));
    },
    leave: (stage) => leaveGate(stage, gate),
  });
}

function claimStep(gate: string): Step {
  return (random) => ({
    name: `wake: ${gate}`,
    async reach(stage) {
      await settle(stage);
      await stage.host.untilState(struckName, "asleep");
      await reachGate(stage, gate, random, async () => stage.load.resume());
    },
    leave: (stage) => leaveGate(stage, gate),
  });
}

/** The process runs and does not listen yet. */
const started: Step = (random) =>
  wakeStep("started", "start", random, async (stage) => {
    await stage.host.untilResource(struckName, ({ held }) => held > 0);
    await until("the service was started", () => stage.servicePid());
  });

/** The process takes connections, and its probe says that it is not ready. */
const listening: Step = (random) =>
  wakeStep("listening", "ready", random, async (stage) => {
    await stage.host.untilResource(struckName, ({ held, ready }) => held > 0 && ready > 0);
  });

/** The first requests are with the service. */
const answering: Step = (random) =>
  wakeStep("answering", "answer", random, async (stage) => {
    await stage.host.untilResource(struckName, ({ inFlight }) => inFlight > 0);
  });

function wakeStep(name: string, gate: string, random: Random, reached: (stage: FaultStage) => Promise<void>): Moment {
  return {
    name: `wake: ${name}`,
    async reach(stage) {
      await settle(stage);
      await stage.host.untilState(struckName, "asleep");
      stage.gates.close(gate);
      stage.rush();
      await reached(stage);
      await sleep(random() * atStepWithinMs);
    },
    leave: (stage) => stage.gates.open(gate),
  };
}

/** Nobody uses the service any more. */
async function settle(stage: FaultStage): Promise<void> {
  stage.load.pause();
  await stage.quiet();
}

/** A sleep that was past the gate already has gone on to its end; one that came to nothing is tried again only after a pause. */
async function attractSleep(stage: FaultStage): Promise<void> {
  const { state, decision } = (await stage.host.why(struckName)) as { state: string; decision?: { reason: string } };
  if (state === "asleep") await stage.recovered();
  else if (decision?.reason === "backing-off") void stage.host.ask(struckName, "sleep").catch(() => {});
}

/** @param attract what brings the scaler to the gate; done until it is there */
async function reachGate(stage: FaultStage, gate: string, random: Random, attract: () => Promise<void>): Promise<void> {
  stage.gates.close(`at.${gate}`);
  stage.gates.open(`hold.${gate}`);
  const isThere = async (): Promise<boolean> => {
    if (stage.gates.isOpen(`at.${gate}`)) return true;
    await attract();
    return false;
  };
  await until(`the scaler came to ${gate}`, isThere).catch(async (error: unknown) => {
    throw new Error(`${String(error)}: ${JSON.stringify(await stage.host.why(struckName))}`);
  });
  stage.rush();
  await sleep(random() * atStepWithinMs);
}

function leaveGate(stage: FaultStage, gate: string): void {
  stage.gates.close(`hold.${gate}`);
}
