import type { SleepStep } from "@dormouse/autoscaler";
import type { ResourceRef } from "@dormouse/core";
import type { SimulatedProcess } from "../engine/simulated-process.ts";
import type { MessageFault } from "../engine/weather.ts";
import type { AutoscalerProcess } from "../parts/autoscaler-process.ts";
import type { WakeMoment } from "../parts/dlx-process.ts";
import type { Act, DeedKind, Occasion } from "../scenario/act.ts";
import { perform } from "./perform.ts";
import type { World } from "./world.ts";

/** Messages of a DLX, by what it is at when it sends them. */
const momentOfKind: Readonly<Record<string, WakeMoment>> = {
  setScale: "claim",
  get: "claim",
  targets: "start",
  route: "restore",
  peers: "listed",
};

/** Lets each act happen on its cue, and counts which step of the protocol met what. */
export class Cues {
  readonly #world: World;
  /** With how often their moment has come since they wait for it. */
  readonly #waiting = new Map<Act, number>();
  #isOver = false;

  constructor(world: World) {
    this.#world = world;
  }

  /** Takes up the scenario's acts. */
  start(): void {
    const { clock, scenario } = this.#world;
    for (const act of scenario.acts) {
      if ("at" in act.cue) clock.setTimer(act.cue.at, () => this.#play(act, undefined));
      else this.#waiting.set(act, 0);
    }
  }

  /** Nothing happens any more. */
  end(): void {
    this.#isOver = true;
    this.#waiting.clear();
  }

  readonly sleep = (autoscaler: AutoscalerProcess, step: SleepStep, ref: ResourceRef): void => {
    this.#world.note(autoscaler.process.name, `sleep of ${ref.name}: ${step}`);
    for (const act of this.#waiting.keys()) {
      if ("sleep" in act.cue && act.cue.sleep === step) this.#come(act, act.cue, `sleep: ${step}`);
    }
  };

  wake(moment: WakeMoment): void {
    for (const act of this.#waiting.keys()) {
      if ("wake" in act.cue && act.cue.wake === moment) this.#come(act, act.cue, `wake: ${moment}`);
    }
  }

  /** A message met a fault. */
  fault(from: SimulatedProcess, kind: string, fault: MessageFault): void {
    const { autoscalers, coverage } = this.#world;
    const steps = autoscalers.find(({ process }) => process === from)?.steps ?? new Map<string, SleepStep>();
    for (const step of new Set(steps.values())) coverage.fault(`sleep: ${step}`, fault);
    if (steps.size > 0 || from.name.startsWith("autoscaler")) return;
    const [call = "", name] = kind.split(" ");
    const moment = call === "setScale" && name === "db" ? "dependencies" : momentOfKind[call];
    if (moment !== undefined) coverage.fault(`wake: ${moment}`, fault);
  }

  /** At this very moment, but not in the middle of what the code is doing. */
  #come(act: Act, { since, nth, afterMs = 0 }: Occasion, step: string): void {
    if (this.#world.clock.monotonic() < since) return;
    const times = (this.#waiting.get(act) ?? 0) + 1;
    this.#waiting.set(act, times);
    if (times < nth) return;
    this.#waiting.delete(act);
    this.#world.clock.setTimer(afterMs, () => this.#play(act, afterMs === 0 ? step : undefined));
  }

  #play(act: Act, step: string | undefined): void {
    if (this.#isOver) return;
    const { kind, steps } = this.#stepsNow(act, step);
    for (const each of steps) this.#world.coverage.deed(each, kind);
    perform(this.#world, act.deed);
  }

  #stepsNow(act: Act, step: string | undefined): { readonly kind: DeedKind; readonly steps: ReadonlySet<string> } {
    const running = this.#world.liveAutoscalers.flatMap(({ steps }) => [...steps.values()]);
    const steps = new Set(running.map((each) => `sleep: ${each}`));
    if (step !== undefined) steps.add(step);
    return { kind: act.deed.do, steps };
  }
}
