import type { ScalingRules } from "@dormouse/core";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ReferenceHpa } from "../test/reference-hpa.ts";
import { cpuAt, cpuPolicy, eager } from "../test/target-observation.ts";
import { decideTarget } from "./decide-target.ts";
import { recordScale, type TargetHistory } from "./target-history.ts";
import type { TargetObservation, TargetPolicy } from "./target-observation.ts";
import { wantedReplicas } from "./wanted-replicas.ts";

const windowMs = fc.integer({ min: 0, max: 300 }).map((seconds) => seconds * 1_000);
const ratePolicy = fc.record({
  type: fc.constantFrom("pods" as const, "percent" as const),
  value: fc.integer({ min: 1, max: 150 }),
  period: fc.integer({ min: 1, max: 120 }).map((seconds) => seconds * 1_000),
});
const rules: fc.Arbitrary<ScalingRules> = fc.record({
  stabilizationWindow: windowMs,
  selectPolicy: fc.constantFrom("max" as const, "min" as const, "disabled" as const),
  policies: fc.array(ratePolicy, { minLength: 1, maxLength: 3 }),
});
const anyPolicy: fc.Arbitrary<TargetPolicy> = fc.record({
  target: fc.record({
    metric: fc.constant("cpu"),
    value: fc.constantFrom(0.8, 30, 1e-6, 1e12),
    valueKind: fc.constantFrom("average" as const, "total" as const),
    tolerance: fc.double({ min: 0, max: 0.99, noNaN: true }),
    toleranceKind: fc.constantFrom("relative" as const, "absolute" as const),
    window: fc.constant(60_000),
  }),
  minReplicas: fc.nat({ max: 10 }),
  maxReplicas: fc.integer({ min: 10, max: 50 }),
  scaleUp: rules,
  scaleDown: rules,
  cooldown: fc.constantFrom(0, 15_000),
  flapGuard: fc.record({ reversals: fc.nat({ max: 5 }), window: windowMs }),
});
const anyValue = fc.oneof(
  fc.double({ min: 0, max: 3, noNaN: true }),
  fc.constantFrom(undefined, NaN, Infinity, -Infinity, -1, 0, Number.MAX_VALUE),
);
const anyLook = fc.record({
  afterMs: fc.integer({ min: 0, max: 90_000 }),
  value: anyValue,
  ageMs: fc.constantFrom(undefined, 0, 5_000, 60_001, NaN, -1),
  unready: fc.integer({ min: -3, max: 3 }),
  somebody: fc.option(fc.nat({ max: 60 }), { freq: 20, nil: undefined }),
  isCarriedOut: fc.boolean(),
});

/** Looks one after the other; calls back with each, before what was decided is done. */
function run(
  policy: TargetPolicy,
  looks: readonly (typeof anyLook extends fc.Arbitrary<infer Look> ? Look : never)[],
  see: (seen: TargetObservation, result: ReturnType<typeof decideTarget>) => void,
  startAt = 0,
): void {
  let history: TargetHistory | undefined;
  let desired = 10;
  let now = startAt;
  for (const { afterMs, value, ageMs, unready, somebody, isCarriedOut } of looks) {
    now += afterMs;
    desired = somebody ?? desired;
    const known = { ...(value !== undefined && { value }), ...(ageMs !== undefined && { ageMs }) };
    const sample = { source: "m", ...known };
    const seen = cpuAt(0, { desired, ready: Math.max(0, desired - unready), policy, sample });
    const result = decideTarget(seen, history, now);
    see(seen, result);
    history = result?.history;
    if (result?.decision.kind !== "scale" || !isCarriedOut) continue;
    desired = result.decision.to;
    history = history && recordScale(history, desired, now);
  }
}

describe("any sequence of looks", () => {
  const looks = fc.array(anyLook, { maxLength: 60 });

  it("scales only to counts from 1 within the bounds, and never from or for a count of 0", () => {
    fc.assert(
      fc.property(anyPolicy, looks, (policy, sequence) => {
        run(policy, sequence, (seen, result) => {
          expect(seen.desired === 0 && result !== undefined).toBe(false);
          if (result?.decision.kind !== "scale") return;
          const { from, to } = result.decision;
          expect(from).toBe(seen.desired);
          expect(to).not.toBe(from);
          expect(Number.isSafeInteger(to)).toBe(true);
          expect(to).toBeGreaterThanOrEqual(Math.max(1, policy.minReplicas));
          expect(to).toBeLessThanOrEqual(policy.maxReplicas);
        });
      }),
    );
  });

  it("keeps within its bounds without a finite, fresh value from 0", () => {
    fc.assert(
      fc.property(anyPolicy, looks, (policy, sequence) => {
        run(policy, sequence, ({ sample, desired }, result) => {
          const { value, ageMs = 0 } = sample;
          const isUsable = value !== undefined && Number.isFinite(value) && value >= 0 && ageMs >= 0 && ageMs <= 60_000;
          const isWithin = desired >= policy.minReplicas && desired <= policy.maxReplicas;
          expect(!isUsable && isWithin && result?.decision.kind === "scale").toBe(false);
        });
      }),
    );
  });

  it("moves towards the target, or not at all", () => {
    fc.assert(
      fc.property(anyPolicy, looks, (policy, sequence) => {
        run(policy, sequence, ({ desired }, result) => {
          if (result?.decision.kind !== "scale" || result.decision.figures === undefined) return;
          const { figures, to } = result.decision;
          expect(Math.sign(to - desired)).toBe(Math.sign(figures.wanted - desired));
          expect(Math.abs(to - desired)).toBeLessThanOrEqual(Math.abs(figures.wanted - desired));
        });
      }),
    );
  });

  it("remembers no more than it has to", () => {
    fc.assert(
      fc.property(anyPolicy, fc.array(anyLook, { minLength: 300, maxLength: 300 }), (policy, sequence) => {
        const quick = sequence.map((look, index) => ({ ...look, afterMs: 100, somebody: index % 7 }));
        run(policy, quick, (_, result) => {
          if (result?.history === undefined) return;
          const { highest, lowest, changes, reversals } = result.history;
          expect(Math.max(highest.length, lowest.length, changes.length, reversals.length)).toBeLessThanOrEqual(121);
        });
      }),
      { numRuns: 20 },
    );
  });

  it("decides the same whenever its clock began", () => {
    fc.assert(
      fc.property(anyPolicy, looks, fc.integer({ min: 0, max: 1e12 }), (policy, sequence, startAt) => {
        const decisionsFrom = (start: number): unknown[] => {
          const made: unknown[] = [];
          run(policy, sequence, (_, result) => made.push(result?.decision), start);
          return made;
        };
        expect(decisionsFrom(startAt)).toEqual(decisionsFrom(0));
      }),
    );
  });
});

describe("against the HorizontalPodAutoscaler", () => {
  /** What Kubernetes' own tests of the controller's calculator record, as far as an average says it all. */
  it.each([
    ["raises", { value: 50, desired: 3, ready: 3 }, 30, 5],
    ["raises less while one of three is not ready", { value: 60, desired: 3, ready: 2 }, 30, 4],
    ["does not raise where those that are not ready make up for it", { value: 40, desired: 3, ready: 1 }, 30, 3],
    ["raises a custom metric", { value: 20, desired: 3, ready: 3 }, 15, 4],
    ["lowers", { value: 28, desired: 5, ready: 5 }, 50, 3],
    ["lowers a custom metric", { value: 12, desired: 5, ready: 5 }, 20, 3],
    ["tolerates", { value: 102, desired: 3, ready: 3 }, 100, 3],
    ["tolerates a custom metric", { value: 20.666, desired: 3, ready: 3 }, 20, 3],
    ["keeps with one missing at the target", { value: 100, desired: 2, ready: 1 }, 100, 2],
    ["keeps with one missing above it", { value: 190, desired: 2, ready: 1 }, 100, 2],
    ["keeps with one missing below it", { value: 60, desired: 2, ready: 1 }, 100, 2],
    ["lowers with two missing, as if at the target", { value: 24.75, desired: 4, ready: 2 }, 100, 3],
  ])("%s as it does", (_, measured, value, expected) => {
    const goal = { value, valueKind: "average", tolerance: 0.1, toleranceKind: "relative" } as const;
    expect(wantedReplicas(measured, goal).wanted).toBe(expected);
  });

  it("takes every step that it takes, for any rules and values, where all replicas are ready and measured", () => {
    const syncs = fc.array(
      fc.record({
        afterMs: fc.integer({ min: 1, max: 30 }).map((seconds) => seconds * 1_000),
        thousandths: fc.oneof(fc.integer({ min: 0, max: 4_000 }), fc.integer({ min: 850, max: 1_150 })),
      }),
      { minLength: 1, maxLength: 80 },
    );
    const bounds = fc.record({ min: fc.integer({ min: 1, max: 5 }), max: fc.integer({ min: 20, max: 60 }) });
    fc.assert(
      fc.property(rules, rules, bounds, syncs, (up, down, { min, max }, sequence) => {
        // Both have watched for longer than any period and window.
        let now = 1_000_000;
        const hpa = new ReferenceHpa({ min, max, up, down, replicas: 10, at: 0 });
        const scaling = { scaleUp: up, scaleDown: down, minReplicas: min, maxReplicas: max };
        const policy = { ...cpuPolicy, ...eager, ...scaling };
        const seen = (thousandths: number): TargetObservation => {
          const sample = { source: "m", value: (thousandths * 0.8) / 1_000, ageMs: 0 };
          return cpuAt(0, { desired: hpa.replicas, ready: hpa.replicas, policy, sample });
        };
        const first = decideTarget(seen(1_000), undefined, 0)?.history;
        let history = first && { ...first, seenAt: now };
        for (const { afterMs, thousandths } of sequence) {
          now += afterMs;
          const result = decideTarget(seen(thousandths), history, now);
          const ours = result?.decision.kind === "scale" ? result.decision.to : hpa.replicas;
          expect(ours).toBe(hpa.sync(thousandths, 100, now));
          history = result?.history && recordScale(result.history, ours, now);
        }
      }),
      { numRuns: 500 },
    );
  });
});
