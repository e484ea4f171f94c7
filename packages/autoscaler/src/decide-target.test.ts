import { describe, expect, it } from "vitest";
import { cpuAt, cpuPolicy, eager } from "../test/target-observation.ts";
import { decideTarget } from "./decide-target.ts";
import { recordScale, startTargetHistory, type TargetHistory } from "./target-history.ts";
import type { TargetObservation, TargetPolicy } from "./target-observation.ts";

const minute = 60_000;
const goal = cpuPolicy.target!;

/** Decides at a moment at which everything before is long ago. */
function decide(seen: TargetObservation, known = startTargetHistory(seen.desired, 0), now = 60 * minute) {
  return decideTarget(seen, known, now)!.decision;
}

/** One after the other, a decision to scale carried out at once. */
class Run {
  readonly #policy: TargetPolicy;
  history: TargetHistory | undefined;
  desired: number;
  now = 0;

  constructor(policy: TargetPolicy, desired = 10) {
    this.#policy = policy;
    this.desired = desired;
  }

  /** Moves on by so much, then looks. */
  look(value: number | undefined, afterMs = 5_000, different: Partial<TargetObservation> = {}) {
    this.now += afterMs;
    const seen = cpuAt(0, {
      desired: this.desired,
      ready: this.desired,
      policy: this.#policy,
      sample: { source: "metrics", ageMs: 0, ...(value !== undefined && { value }) },
      ...different,
    });
    const { decision, history } = decideTarget(seen, this.history, this.now)!;
    this.history = history;
    if (decision.kind === "scale") {
      this.history = recordScale(history!, decision.to, this.now);
      this.desired = decision.to;
    }
    return decision;
  }
}

describe("decideTarget", () => {
  it.each([
    [0.85, "keep", "on-target", 10],
    [0.95, "scale", "above-target", 12],
    [0.55, "scale", "below-target", 7],
    [0.88, "keep", "on-target", 10],
    [0.881, "scale", "above-target", 12],
    [0.72, "keep", "on-target", 10],
    [0.719, "scale", "below-target", 9],
    [0, "scale", "below-target", 1],
    [1e300, "scale", "above-target", 100],
  ])("at an average of %d of 0.8 it will %s (%s), for %d replicas", (value, kind, reason, replicas) => {
    const decision = decide(cpuAt(value));
    expect(decision).toMatchObject({ kind, reason });
    expect(decision.kind === "scale" ? decision.to : 10).toBe(replicas);
  });

  it("takes an absolute tolerance in the metric's unit, both ends included", () => {
    const policy = { ...cpuPolicy, ...eager, target: { ...goal, toleranceKind: "absolute" as const } };
    expect(decide(cpuAt(0.9, { policy }))).toMatchObject({ reason: "on-target" });
    expect(decide(cpuAt(0.7, { policy }))).toMatchObject({ reason: "on-target" });
    expect(decide(cpuAt(0.901, { policy }))).toMatchObject({ to: 12 });
    expect(decide(cpuAt(0.699, { policy }))).toMatchObject({ to: 9 });
  });

  it("divides a total by the count", () => {
    const policy = { ...cpuPolicy, ...eager, target: { ...goal, value: 20, valueKind: "total" as const } };
    expect(decide(cpuAt(205, { policy }))).toMatchObject({ reason: "on-target" });
    expect(decide(cpuAt(300, { policy }))).toMatchObject({ to: 15, figures: { average: 30 } });
    expect(decide(cpuAt(300, { policy, desired: 15, ready: 9 }))).toMatchObject({ reason: "on-target" });
  });

  it("says nothing of a resource without a target, and never touches one that is asleep", () => {
    const { target: _, ...policy } = cpuPolicy;
    expect(decideTarget(cpuAt(5, { policy }), undefined, 0)).toBeUndefined();
    expect(decideTarget(cpuAt(5, { desired: 0, ready: 0 }), undefined, 0)).toBeUndefined();
    expect(decideTarget(cpuAt(5, { desired: 0, ready: 3 }), startTargetHistory(3, 0), 0)).toBeUndefined();
  });

  it.each<[string, Partial<TargetObservation>, string]>([
    ["whose scaler knows one replica only", { replicas: "one" }, "one-replica"],
    ["that this process puts to sleep", { operation: "sleep" }, "in-transition"],
    ["that is scaled already", { operation: "scale" }, "in-transition"],
    ["that somebody wakes", { inTransition: true }, "in-transition"],
    ["whose platform does not list", { platformProblem: "SCALER_TIMEOUT" }, "platform-silent"],
    ["without a ready replica", { ready: 0 }, "unready"],
    ["whose last change failed", { retryInMs: 5 }, "scale-failed"],
    ["without a value", { sample: { source: "m", problem: "down" } }, "value-unknown"],
    ["whose value is NaN", { sample: { source: "m", value: NaN } }, "value-unknown"],
    ["whose value is infinite", { sample: { source: "m", value: Infinity } }, "value-unknown"],
    ["whose value is below 0", { sample: { source: "m", value: -1 } }, "value-unknown"],
    ["whose value is older than its window", { sample: { source: "m", value: 5, ageMs: 60_001 } }, "value-stale"],
    ["whose value's age is NaN", { sample: { source: "m", value: 5, ageMs: NaN } }, "value-stale"],
    ["whose value is from the future", { sample: { source: "m", value: 5, ageMs: -1 } }, "value-stale"],
    ["with an average from a source of totals", { sample: { source: "dlx", value: 5, dlxOnly: true } }, "needs-total"],
  ])("keeps one %s", (_, different, reason) => {
    expect(decide(cpuAt(5, different))).toMatchObject({ kind: "keep", reason });
  });

  it("never scales by what a DLX counts where traffic passes none", () => {
    const policy = { ...cpuPolicy, ...eager, target: { ...goal, valueKind: "total" as const } };
    const sample = { source: "dlx", value: 0, ageMs: 0, dlxOnly: true };
    expect(decide(cpuAt(0, { policy, sample, routing: "direct" }))).toMatchObject({ reason: "blind" });
    expect(decide(cpuAt(0, { policy, sample, routing: "always" }))).toMatchObject({ to: 1 });
  });

  describe("while not all replicas are ready", () => {
    it("takes the others to have nothing where more are wanted", () => {
      expect(decide(cpuAt(1.6, { ready: 8 }))).toMatchObject({ to: 16 });
      expect(decide(cpuAt(1.6, { ready: 5 }))).toMatchObject({ reason: "on-target" });
      expect(decide(cpuAt(1.6, { ready: 2 }))).toMatchObject({ reason: "on-target" });
    });

    it("takes the others to be at the target where fewer are wanted", () => {
      expect(decide(cpuAt(0.4, { ready: 5 }))).toMatchObject({ to: 8 });
      expect(decide(cpuAt(0.4, { ready: 1 }))).toMatchObject({ reason: "on-target" });
    });

    it("counts those that are ending for what they still carry, and never raises for it", () => {
      expect(decide(cpuAt(0.4, { ready: 15 }))).toMatchObject({ to: 8 });
      expect(decide(cpuAt(0.4, { ready: 30 }))).toMatchObject({ reason: "on-target" });
      expect(decide(cpuAt(1.6, { ready: 15 }))).toMatchObject({ to: 20 });
    });
  });

  describe("the bounds", () => {
    const policy = { ...cpuPolicy, ...eager, minReplicas: 3, maxReplicas: 12 };

    it("hold whatever the metric says", () => {
      expect(decide(cpuAt(80, { policy }))).toMatchObject({ to: 12 });
      expect(decide(cpuAt(0, { policy }))).toMatchObject({ to: 3 });
      expect(decide(cpuAt(80, { policy, desired: 12, ready: 12 }))).toMatchObject({ reason: "at-limit" });
      expect(decide(cpuAt(0, { policy, desired: 3, ready: 3 }))).toMatchObject({ reason: "at-limit" });
      expect(decide(cpuAt(0, { desired: 1, ready: 1 }))).toMatchObject({ reason: "at-limit" });
    });

    it("bring back a count that is outside, without any metric", () => {
      const sample = { source: "m", problem: "down" };
      expect(decide(cpuAt(0, { policy, sample, desired: 20, ready: 20 }))).toEqual({
        kind: "scale",
        reason: "above-max",
        from: 20,
        to: 12,
      });
      expect(decide(cpuAt(0, { policy, sample, desired: 1, ready: 1 }))).toMatchObject({ reason: "below-min", to: 3 });
    });

    it("do not fight with somebody who undoes them", () => {
      const run = new Run({ ...policy, cooldown: 15_000 }, 20);
      expect(run.look(0.8)).toMatchObject({ kind: "scale", to: 12 });
      run.desired = 20;
      expect(run.look(0.8)).toMatchObject({ reason: "cooldown", nextCheckInMs: 15_000 });
      expect(run.look(0.8, 15_000)).toMatchObject({ kind: "scale", to: 12 });
    });
  });

  describe("stabilisation", () => {
    it("lowers to no less than the most that was wanted within its window, from the start on", () => {
      const run = new Run({ ...cpuPolicy, ...eager, scaleDown: { ...eager.scaleDown, stabilizationWindow: minute } });
      expect(run.look(0.4, 0)).toMatchObject({ reason: "stabilizing", nextCheckInMs: minute });
      expect(run.look(0.64, 30_000)).toMatchObject({ reason: "stabilizing", nextCheckInMs: 30_000 });
      expect(run.look(0.4, 30_000)).toMatchObject({ to: 8, figures: { wanted: 5, stabilized: 8 } });
    });

    it("raises to no more than the least that was wanted within its window", () => {
      const run = new Run({ ...cpuPolicy, ...eager, scaleUp: { ...eager.scaleUp, stabilizationWindow: minute } });
      expect(run.look(1.6, 0)).toMatchObject({ reason: "stabilizing" });
      expect(run.look(0.96, 30_000)).toMatchObject({ reason: "stabilizing" });
      expect(run.look(1.6, 30_000)).toMatchObject({ to: 12, figures: { wanted: 20, stabilized: 12 } });
    });

    it("begins anew after a gap in the values, but not for one that is missing now and then", () => {
      const policy = { ...cpuPolicy, ...eager, scaleDown: { ...eager.scaleDown, stabilizationWindow: minute } };
      const short = new Run(policy);
      for (let look = 0; look < 12; look += 1) short.look(look % 3 === 0 ? undefined : 0.4);
      expect(short.look(0.4)).toMatchObject({ to: 5 });
      const long = new Run(policy);
      long.look(0.4, 0);
      for (let look = 0; look < 13; look += 1) expect(long.look(undefined)).toMatchObject({ reason: "value-unknown" });
      expect(long.look(0.4)).toMatchObject({ reason: "stabilizing", nextCheckInMs: minute });
      for (let look = 0; look < 11; look += 1) expect(long.look(0.4)).toMatchObject({ reason: "stabilizing" });
      expect(long.look(0.4)).toMatchObject({ to: 5 });
    });

    it("takes a count that somebody else sets for what is wanted, a wake's too", () => {
      const run = new Run({ ...cpuPolicy, ...eager, scaleDown: { ...eager.scaleDown, stabilizationWindow: minute } });
      for (let look = 0; look < 13; look += 1) run.look(0.8);
      run.desired = 20;
      expect(run.look(0.4)).toMatchObject({ reason: "stabilizing", nextCheckInMs: minute });
    });
  });

  describe("the rates", () => {
    const rated = (scaleUp: Partial<TargetPolicy["scaleUp"]>): TargetPolicy => ({
      ...cpuPolicy,
      ...eager,
      scaleUp: { ...eager.scaleUp, ...scaleUp },
    });
    const two = [
      { type: "pods", value: 2, period: 15_000 },
      { type: "percent", value: 50, period: 15_000 },
    ] as const;

    it.each([
      ["max", 15],
      ["min", 12],
    ] as const)("allow by %s of several policies %d", (selectPolicy, to) => {
      expect(decide(cpuAt(8, { policy: rated({ selectPolicy, policies: [...two] }) }))).toMatchObject({ to });
    });

    it("can shut a direction off", () => {
      expect(decide(cpuAt(8, { policy: rated({ selectPolicy: "disabled" }) }))).toMatchObject({ reason: "disabled" });
      const never = { ...eager.scaleDown, selectPolicy: "disabled" } as const;
      expect(decide(cpuAt(0, { policy: { ...cpuPolicy, ...eager, scaleDown: never } }))).toMatchObject({
        reason: "disabled",
      });
    });

    it("count what has changed within the period, by whomever", () => {
      const run = new Run(rated({ policies: [{ type: "pods", value: 2, period: 15_000 }] }));
      expect(run.look(8)).toMatchObject({ to: 12 });
      expect(run.look(8)).toMatchObject({ reason: "rate-limited" });
      expect(run.look(8, 10_000)).toMatchObject({ to: 14 });
      run.desired = 15;
      expect(run.look(8, 14_000)).toMatchObject({ reason: "rate-limited" });
    });

    it("hold a lowering until a whole period was watched", () => {
      const scaleDown = { ...eager.scaleDown, policies: [{ type: "pods", value: 1, period: minute }] } as const;
      const run = new Run({ ...cpuPolicy, ...eager, scaleDown: { ...scaleDown, policies: [...scaleDown.policies] } });
      expect(run.look(0.4, 0)).toMatchObject({ reason: "rate-limited" });
      expect(run.look(0.4, 59_000)).toMatchObject({ reason: "rate-limited" });
      expect(run.look(0.4, 1_000)).toMatchObject({ to: 9 });
    });
  });

  describe("what goes up and down", () => {
    it("waits for the cooldown after any change, and after the start", () => {
      const run = new Run({ ...cpuPolicy, ...eager, cooldown: 15_000 });
      expect(run.look(1.6, 0)).toMatchObject({ reason: "cooldown", nextCheckInMs: 15_000 });
      expect(run.look(1.6, 15_000)).toMatchObject({ to: 20 });
      expect(run.look(0.4, 14_999)).toMatchObject({ reason: "cooldown", nextCheckInMs: 1 });
      expect(run.look(0.4, 1)).toMatchObject({ to: 10 });
    });

    it("never takes a value that is older than the count", () => {
      const run = new Run({ ...cpuPolicy, ...eager });
      run.look(0.8, 0);
      expect(run.look(1.6)).toMatchObject({ to: 20 });
      const aged = (ageMs: number) => ({ sample: { source: "m", value: 1.6, ageMs } });
      expect(run.look(1.6, 5_000, aged(5_000))).toMatchObject({ reason: "settling" });
      expect(run.look(1.6, 1_000, aged(5_999))).toMatchObject({ to: 40 });
    });

    it("is held up, not down, once it has turned too often", () => {
      const run = new Run({ ...cpuPolicy, ...eager, flapGuard: { reversals: 3, window: 10 * minute } });
      for (const [value, to] of [
        [1.6, 20],
        [0.4, 10],
        [1.6, 20],
        [0.4, 10],
      ] as const) {
        expect(run.look(value)).toMatchObject({ to });
      }
      expect(run.look(1.6)).toMatchObject({ to: 20 });
      expect(run.look(0.4)).toMatchObject({ reason: "flapping", nextCheckInMs: 10 * minute - 15_000 });
      expect(run.look(1.6)).toMatchObject({ to: 40 });
      // The first of the last three turns leaves the window.
      expect(run.look(0.4, 10 * minute - 20_001)).toMatchObject({ reason: "flapping", nextCheckInMs: 1 });
      expect(run.look(0.4, 1)).toMatchObject({ to: 20 });
    });
  });
});
