import { ScalerError } from "@dormouse/core";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import type { Passage } from "../src/gate/passage.ts";
import { ScriptedPlatform } from "./scripted-platform.ts";

const ref = { scaler: "test", namespace: "default", name: "web" };

type Step =
  | { readonly kind: "request"; readonly patienceMs: number; readonly leavesAfterMs: number }
  | { readonly kind: "answer" | "start" | "kill" | "sleep" | "fence" | "person" | "fail" | "mend" | "poke" }
  | { readonly kind: "platform"; readonly delayMs: number; readonly lost: boolean }
  | { readonly kind: "wait"; readonly ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("request" as const),
      patienceMs: fc.integer({ min: 1, max: 5_000 }),
      leavesAfterMs: fc.integer({ min: 0, max: 9_000 }),
    }),
  },
  {
    weight: 8,
    arbitrary: fc
      .constantFrom("answer", "start", "kill", "sleep", "fence", "person", "fail", "mend", "poke")
      .map((kind) => ({ kind })),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("platform" as const),
      delayMs: fc.integer({ min: 0, max: 200 }),
      lost: fc.boolean(),
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("wait" as const), ms: fc.integer({ min: 0, max: 700 }) }) },
);

/** One DLX, one sleeper, a person, failing instances and a platform that delays and loses answers. */
class Schedule {
  readonly platform = new ScriptedPlatform();
  readonly violations: string[] = [];
  readonly open = new Set<Passage>();
  ended = 0;
  asked = 0;
  #instances = 0;
  #fault: { delayMs: number; lost: boolean } = { delayMs: 0, lost: false };
  readonly #sleeps: Promise<void>[] = [];

  async run(steps: readonly Step[]): Promise<void> {
    const { platform } = this;
    await platform.add("web", { holdTimeout: 5_000, wakeTimeout: 20_000, minAwake: 0 });
    platform.before = (call) => (call.startsWith("setScale") ? platform.clock.sleep(this.#fault.delayMs) : undefined);
    platform.after = (call) => {
      if (call.startsWith("setScale") && this.#fault.lost) throw new ScalerError("SCALER_TIMEOUT", "answer lost");
    };
    for (const one of steps) await this.#step(one);
    await this.#settle();
  }

  async #step(one: Step): Promise<void> {
    const { platform } = this;
    const gate = platform.gate("web");
    if (one.kind === "request") this.#request(one.patienceMs, one.leavesAfterMs);
    if (one.kind === "answer") for (const passage of this.open) this.#end(passage);
    if (one.kind === "start" && platform.resource("web").desired > 0)
      platform.start("web", `i${(this.#instances += 1)}`);
    if (one.kind === "kill") platform.change("web", { targets: [] });
    if (one.kind === "sleep") this.#sleeps.push(this.#sleep());
    if (one.kind === "fence") platform.keeper.fence(ref, "late");
    if (one.kind === "person")
      platform.change("web", {
        desired: platform.resource("web").desired === 0 ? 1 : 0,
        version: Number(platform.resource("web").version) + 1,
        targets: [],
      });
    if (one.kind === "fail") platform.change("web", { failure: { code: "SCALER_CRASH_LOOP", message: "crash" } });
    if (one.kind === "mend") platform.change("web", { failure: undefined });
    if (one.kind === "platform") this.#fault = one;
    if (one.kind === "poke") gate.poke();
    await platform.clock.advance(one.kind === "wait" ? one.ms : 0);
  }

  #request(patienceMs: number, leavesAfterMs: number): void {
    this.asked += 1;
    const gate = this.platform.gate("web");
    const warm = gate.tryEnter();
    if (warm !== undefined) return void this.open.add(warm);
    const client = new AbortController();
    const timer = this.platform.clock.setTimer(leavesAfterMs, () => client.abort());
    const arrivedAt = this.platform.clock.monotonic();
    gate.hold({ arrivedAt, patienceMs, signal: client.signal }).then(
      (passage) => {
        timer.cancel();
        if (!gate.awake) this.violations.push("released without a licence");
        if (this.platform.clock.monotonic() > arrivedAt + patienceMs)
          this.violations.push("released after its deadline");
        this.open.add(passage);
      },
      () => {
        timer.cancel();
        this.ended += 1;
        if (this.platform.clock.monotonic() > arrivedAt + patienceMs)
          this.violations.push("refused after its deadline");
      },
    );
  }

  #end(passage: Passage): void {
    this.open.delete(passage);
    passage.end();
    this.ended += 1;
  }

  /** The sleep protocol as an autoscaler runs it: read, mark, fence, stop by the mark's version. */
  async #sleep(): Promise<void> {
    const { platform } = this;
    const { scaler } = platform.gate("web").entry;
    try {
      const read = await scaler.getResource(ref);
      if (read === undefined || read.desired === 0) return;
      const mark = await scaler.setScale(ref, read.desired, { ifVersion: read.version });
      const answer = platform.keeper.fence(ref, "s");
      if (answer.inFlight + answer.held > 0) return;
      const before = platform.before;
      platform.before = async (call) => {
        await before(call);
        if (
          call === `setScale web 0 if ${mark.version}` &&
          platform.resource("web").version === mark.version &&
          this.open.size > 0
        )
          this.violations.push("stopped while in use");
      };
      await scaler.setScale(ref, 0, { ifVersion: mark.version });
    } catch {
      // A conflict or an unknown outcome: the attempt is over.
    }
  }

  /** Faults end; then every request must end within its patience, and every count be zero. */
  async #settle(): Promise<void> {
    const { platform } = this;
    this.#fault = { delayMs: 0, lost: false };
    platform.change("web", { failure: undefined });
    for (let round = 0; round < 30; round += 1) {
      if (platform.resource("web").desired > 0 && platform.resource("web").ready === 0)
        platform.start("web", `i${(this.#instances += 1)}`);
      for (const passage of this.open) this.#end(passage);
      await platform.clock.advance(1_000);
    }
    await Promise.all(this.#sleeps);
    if (this.ended !== this.asked) this.violations.push(`${this.asked} asked, ${this.ended} ended`);
    const { held, inFlight } = platform.keeper.totals;
    if (held + inFlight !== 0) this.violations.push(`held ${held}, in flight ${inFlight} at the end`);
    await platform.close();
    if (platform.clock.pendingTimers > 0) this.violations.push(`${platform.clock.pendingTimers} timers left`);
  }
}

it(
  "ends every request once and in time, and is never stopped while in use, whatever the order of events",
  { timeout: 60_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const schedule = new Schedule();
        await schedule.run(steps);
        expect(schedule.violations).toEqual([]);
      }),
      { numRuns: 300 },
    );
  },
);
