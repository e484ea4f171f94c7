import { type MetricsSource, ResourceCatalog, ScalerError, silentLogger } from "@dormouse/core";
import * as fc from "fast-check";
import { type Autoscaler, type SleepStep, sleepSteps } from "../src/index.ts";
import type { FakeRequest } from "./fake-dlx.ts";
import { web, type World } from "./world.ts";

/** One thing that happens. */
export type Act =
  | { readonly do: "request" | "join" | "crash-autoscaler" | "release" }
  | { readonly do: "finish"; readonly nth: number }
  | { readonly do: "advance"; readonly ms: number }
  | { readonly do: "scale"; readonly to: number }
  | { readonly do: "lose-answer" | "lose-fence" }
  | { readonly do: "pause"; readonly step: SleepStep }
  | { readonly do: "late-fence" }
  | { readonly do: "load"; readonly to: number }
  | { readonly do: "calm" }
  | { readonly do: "meet"; readonly step: SleepStep; readonly finishes: boolean };

/** Anything that can happen. */
export const act: fc.Arbitrary<Act> = fc.oneof(
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
  // Counts for targets alone: what a load of `cpu` makes of one replica.
  { weight: 3, arbitrary: fc.record({ do: fc.constant("load" as const), to: fc.constantFrom(0, 1, 3, 9) }) },
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

/** Any number of autoscalers without a lease between them, and whatever happens to them. */
export class Chaos {
  readonly requests: FakeRequest[] = [];
  readonly #world: World;
  readonly #autoscalers: Autoscaler[] = [];
  readonly #pauses = new Set<SleepStep>();
  readonly #held = new Set<() => void>();
  readonly #catalogs: ResourceCatalog[] = [];
  readonly #isApart: boolean;
  #losesAnswer = false;
  #losesFence = false;
  #load = 1;

  /** @param isApart each autoscaler knows the platform by itself, as a process of its own */
  constructor(world: World, isApart = false) {
    this.#world = world;
    this.#isApart = isApart;
    const original = world.memory.afterCall;
    world.memory.afterCall = async (call, signal) => {
      await original?.(call, signal);
      if (!this.#losesAnswer || call.call !== "setScale") return;
      this.#losesAnswer = false;
      throw new ScalerError("SCALER_TIMEOUT", "the answer is lost");
    };
  }

  async start(): Promise<void> {
    const catalog = this.#isApart ? { catalog: this.#openCatalog() } : {};
    const options = { source: this.#source, at: (step: SleepStep) => this.#at(step), ...catalog };
    this.#autoscalers.push(await this.#world.openAutoscaler(options));
  }

  /** Ends what the world does not end. */
  async end(): Promise<void> {
    for (const autoscaler of this.#autoscalers) await autoscaler[Symbol.asyncDispose]();
    for (const catalog of this.#catalogs) await catalog[Symbol.asyncDispose]();
  }

  #openCatalog(): ResourceCatalog {
    const catalog = new ResourceCatalog({ clock: this.#world.clock, logger: silentLogger, listEveryMs: 500 });
    catalog.follow(this.#world.scaler);
    this.#catalogs.push(catalog);
    return catalog;
  }

  readonly #source: MetricsSource = {
    read: async ({ metric, resources }) =>
      resources.map((ref) => ({ ref, value: metric === "cpu" ? this.#load / this.#world.desired(ref) : 0, ageMs: 0 })),
    [Symbol.asyncDispose]: async () => {},
  };

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
    else if (act.do === "load") this.#load = act.to;
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
