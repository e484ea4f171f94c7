import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anyObservation } from "../test/any-observation.ts";
import { decideAskedSleep } from "./decide-asked-sleep.ts";
import { decideSleep } from "./decide-sleep.ts";
import { decisionReasons } from "./decision-reasons.ts";
import type { Observation, RuleObservation } from "./observation.ts";

const runs = { numRuns: 1_000 };

function isUnknownOrInUse({ dlxs }: Observation): boolean {
  if (dlxs === undefined || dlxs.length === 0) return true;
  return dlxs.some((each) => {
    if (!each.known) return true;
    return each.inFlight !== 0 || each.held !== 0 || !Number.isFinite(each.idleForMs) || each.idleForMs < 0;
  });
}

function isRuleUnknownOrBusy({ value, ageMs, threshold, windowMs }: RuleObservation): boolean {
  if (value === undefined || !Number.isFinite(value) || !Number.isFinite(threshold)) return true;
  return value > threshold || (ageMs !== undefined && !(ageMs >= 0 && ageMs <= windowMs / 2));
}

/** One observation and one that differs only in ages that have grown. */
const grown = fc
  .tuple(anyObservation, fc.array(fc.nat({ max: 1_000 }), { minLength: 8, maxLength: 8 }))
  .map(([seen, [awake = 0, unready = 0, observed = 0, diverted = 0, ...dlx]]) => {
    const later: Observation = {
      ...seen,
      awakeForMs: seen.awakeForMs + awake,
      unreadyForMs: seen.unreadyForMs + unready,
      observedForMs: seen.observedForMs + observed,
      ...(seen.divertedForMs !== undefined && { divertedForMs: seen.divertedForMs + diverted }),
      ...(seen.dlxs !== undefined && {
        dlxs: seen.dlxs.map((each, index) =>
          each.known ? { ...each, idleForMs: each.idleForMs + (dlx[index] ?? 0) } : each,
        ),
      }),
    };
    return { seen, later };
  });

describe("decideSleep, for any observation", () => {
  it("is total: a known reason, and for a wait a time that is not negative", () => {
    fc.assert(
      fc.property(anyObservation, (seen) => {
        const decision = decideSleep(seen);
        expect(Object.hasOwn(decisionReasons, decision.reason)).toBe(true);
        const waitMs = decision.kind === "keep" ? decision.nextCheckInMs : undefined;
        expect(waitMs ?? 1).toBeGreaterThan(0);
      }),
      runs,
    );
  });

  it("comes to every result often enough for the rest to mean something", () => {
    const reasons = fc.sample(anyObservation, { numRuns: 10_000, seed: 1 }).map((seen) => decideSleep(seen).reason);
    for (const reason of ["idle", "failed", "never-ready", "rule-busy", "rule-stale", "recent-activity", "observing"]) {
      expect(reasons.filter((each) => each === reason).length, reason).toBeGreaterThan(20);
    }
  });

  it("never sleeps while a DLX is unknown or has anything in flight or held, nor does a sleep that is asked for", () => {
    fc.assert(
      fc.property(anyObservation, (seen) => {
        fc.pre(isUnknownOrInUse(seen));
        expect(decideSleep(seen).kind).toBe("keep");
        expect(decideAskedSleep(seen).kind).toBe("keep");
      }),
      runs,
    );
  });

  it("never finds it idle while a rule is unknown, stale or busy, or was not asked for", () => {
    fc.assert(
      fc.property(anyObservation, (seen) => {
        fc.pre(seen.rules.some(isRuleUnknownOrBusy) || seen.rules.length < seen.policy.idleRules.length);
        expect(decideSleep(seen).reason).not.toBe("idle");
      }),
      runs,
    );
  });

  it("never finds it idle where only DLX counts speak and traffic does not pass the DLX", () => {
    fc.assert(
      fc.property(anyObservation, (seen) => {
        fc.pre(seen.routes && seen.routing === "direct" && seen.rules.every((each) => each.dlxOnly));
        expect(decideSleep(seen).reason).not.toBe("idle");
      }),
      runs,
    );
  });

  it("never finds it idle before every time is over", () => {
    fc.assert(
      fc.property(anyObservation, (seen) => {
        fc.pre(decideSleep(seen).reason === "idle");
        const { policy } = seen;
        expect(seen.awakeForMs).toBeGreaterThanOrEqual(policy.minAwake);
        expect(seen.observedForMs).toBeGreaterThanOrEqual(policy.idleAfter);
        for (const each of policy.idleRules) expect(seen.observedForMs).toBeGreaterThanOrEqual(each.window);
        for (const each of seen.dlxs ?? []) expect(each.known && each.idleForMs >= policy.idleAfter).toBe(true);
      }),
      runs,
    );
  });

  it("is monotone: what sleeps still sleeps when only ages have grown", () => {
    fc.assert(
      fc.property(grown, ({ seen, later }) => {
        fc.pre(decideSleep(seen).kind === "sleep");
        expect(decideSleep(later).kind).toBe("sleep");
      }),
      runs,
    );
  });

  it("never sleeps what does not opt in, is to run always, is unguarded, asleep, needed or being worked on", () => {
    fc.assert(
      fc.property(anyObservation, (seen) => {
        const isUnwilling = !seen.policy.enabled || seen.policy.minReplicas !== 0;
        const isOff = isUnwilling || !seen.guarded || !(seen.desired > 0) || seen.awakeUsers.length > 0;
        fc.pre(isOff || seen.operation !== undefined);
        expect(decideSleep(seen).kind).toBe("keep");
        expect(isOff && decideAskedSleep(seen).kind === "sleep").toBe(false);
      }),
      runs,
    );
  });
});
