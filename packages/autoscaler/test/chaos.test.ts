import { type IdleRule, type MetricsSource, ScalerError } from "@dormouse/core";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Autoscaler, type SleepStep, sleepSteps } from "../src/index.ts";
import type { FakeRequest } from "./fake-dlx.ts";
import { clean, web, World } from "./world.ts";

/*
 * Any order of requests, pauses of leaders without a lease between them, crashes, people who scale, lost answers and
 * DLXs that come and go: no request is cut or sent where nothing serves, and once the faults stop, all are answered and
 * the resource sleeps.
 */

const quiet: MetricsSource = {
  read: async ({ resources }) => resources.map((ref) => ({ ref, value: 0, ageMs: 0 })),
  [Symbol.asyncDispose]: async () => {},
};

type Act =
  | { readonly do: "request" | "join" | "crash-autoscaler" | "release" }
  | { readonly do: "finish"; readonly nth: number }
  | { readonly do: "advance"; readonly ms: number }
  | { readonly do: "scale"; readonly to: number }
  | { readonly do: "lose-answer" | "lose-fence" }
  | { readonly do: "pause"; readonly step: SleepStep }
  | { readonly do: "late-fence" }
  | { readonly do: "calm" }
  | { readonly do: "meet"; readonly step: SleepStep; readonly finishes: boolean };

const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Act>({ do: "calm" }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("meet" as const),
      step: fc.constantFrom(...sleepSteps),
      finishes: fc.boolean(),
    }),
  },
  { weight: 5, arbitrary: fc.constant<Act>({ do: "request" }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("finish" as const), nth: fc.nat({ max: 3 }) }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant("advance" as const), ms: fc.constantFrom(100, 1_000, 5_000, 15_000) }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("pause" as const), step: fc.constantFrom(...sleepSteps) }) },
  { weight: 3, arbitrary: fc.constant<Act>({ do: "release" }) },
  // A person's stop is not ours to make safe, so people here only ever want more.
  { weight: 1, arbitrary: fc.record({ do: fc.constant("scale" as const), to: fc.constantFrom(1, 2) }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Act>(
      { do: "lose-answer" },
      { do: "lose-fence" },
      { do: "late-fence" },
      { do: "join" },
      { do: "crash-autoscaler" },
    ),
  },
);

class Chaos {
  readonly requests: FakeRequest[] = [];
  readonly #world: World;
  readonly #autoscalers: Autoscaler[] = [];
  readonly #pauses = new Set<SleepStep>();
  readonly #held = new Set<() => void>();
  #losesAnswer = false;
  #losesFence = false;

  constructor(world: World) {
    this.#world = world;
    const original = world.memory.afterCall;
    world.memory.afterCall = async (call, signal) => {
      await original?.(call, signal);
      if (!this.#losesAnswer || call.call !== "setScale") return;
      this.#losesAnswer = false;
      throw new ScalerError("SCALER_TIMEOUT", "the answer is lost");
    };
  }

  async start(): Promise<void> {
    this.#autoscalers.push(await this.#world.openAutoscaler({ source: quiet, at: (step) => this.#at(step) }));
  }

  async run(act: Act): Promise<void> {
    const world = this.#world;
    const dlx = world.dlxs[this.requests.length % world.dlxs.length]!;
    if (act.do === "request") this.requests.push(dlx.request(web));
    else if (act.do === "finish") this.requests.at(-1 - act.nth)?.finish();
    else if (act.do === "advance") await world.advance(act.ms);
    else if (act.do === "scale") world.memory.scaleByHand(web, act.to);
    else if (act.do === "lose-answer") this.#losesAnswer = true;
    else if (act.do === "lose-fence") this.#loseFence();
    else if (act.do === "pause") this.#pauses.add(act.step);
    else if (act.do === "release") this.release();
    else if (act.do === "late-fence") await dlx.fence(web, "late").catch(() => {});
    else if (act.do === "join") world.addDlx();
    else if (act.do === "calm") await this.#calmDown();
    else if (act.do === "meet") await this.#meet(act.step, act.finishes);
    else await this.#crashAutoscaler();
    await world.advance(0);
  }

  release(): void {
    this.#pauses.clear();
    for (const resume of this.#held) resume();
    this.#held.clear();
  }

  calm(): void {
    this.release();
    this.#losesAnswer = false;
    this.#losesFence = false;
    for (const request of this.requests) request.finish();
  }

  /** Everything is answered, and for long enough that a sleep begins. */
  async #calmDown(): Promise<void> {
    for (const request of this.requests) request.finish();
    await this.#world.advance(7_000);
  }

  /** A request at just this step of a sleep. */
  async #meet(step: SleepStep, finishes: boolean): Promise<void> {
    this.#pauses.add(step);
    await this.#calmDown();
    for (const dlx of this.#world.dlxs) this.requests.push(dlx.request(web));
    await this.#world.advance(1_000);
    if (finishes) for (const request of this.requests) request.finish();
    this.release();
  }

  /** Each pause holds one sleep, for as long as nobody releases it. */
  async #at(step: SleepStep): Promise<void> {
    if (!this.#pauses.delete(step)) return;
    await new Promise<void>((resolve) => this.#held.add(resolve));
  }

  #loseFence(): void {
    this.#losesFence = true;
    for (const dlx of this.#world.dlxs) {
      dlx.onFence = () => {
        if (!this.#losesFence) return;
        this.#losesFence = false;
        throw new Error("the fence is lost");
      };
    }
  }

  async #crashAutoscaler(): Promise<void> {
    await this.#autoscalers.shift()?.[Symbol.asyncDispose]();
    await this.start();
  }
}

const idleRules: IdleRule[] = [{ metric: "open", window: 5_000, threshold: 0 }];

const worlds = [
  ["through DLXs alone", { dlxs: 2 }],
  [
    "with traffic of its own",
    { dlxs: 2, restores: true, capabilities: { routing: true, settleWithinMs: 500 }, idleRules },
  ],
  ["with instances that end slowly", { dlxs: 2, startMs: 700, stopMs: 3_000 }],
] as const;

describe.each(worlds)("two leaders at once, any order of events, %s", (_, { ...options }) => {
  it("lose no request, and the resource sleeps in the end", { timeout: 60_000 }, async () => {
    const policy = {
      idleAfter: 5_000,
      minAwake: 1_000,
      ...("idleRules" in options && { idleRules: options.idleRules }),
    };
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 5, maxLength: 40 }), async (acts) => {
        const world = await World.open({ ...options, resources: [{ name: "web", desired: 1, policy }] });
        const chaos = new Chaos(world);
        await chaos.start();
        await chaos.start();
        for (const each of acts) await chaos.run(each);
        chaos.calm();
        await world.until(() => chaos.requests.every((request) => request.state === "answered"), 60_000);
        await world.until(() => world.isAsleep(), 600_000);
        expect(await world.close()).toEqual(clean);
      }),
      { numRuns: 60 },
    );
  });
});
