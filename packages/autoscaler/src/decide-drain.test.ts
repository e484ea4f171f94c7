import { describe, expect, it } from "vitest";
import { decideDrain, type DrainObservation } from "./decide-drain.ts";
import { keep, sleep } from "./decision.ts";
import type { RuleObservation } from "./observation.ts";

const rule: RuleObservation = {
  metric: "open",
  windowMs: 60_000,
  threshold: 0,
  source: "s",
  dlxOnly: false,
  value: 0,
  ageMs: 1_000,
};

function drained(different: Partial<DrainObservation> = {}): DrainObservation {
  return {
    decision: sleep("idle"),
    isAsked: false,
    dlxs: [{ known: true, id: "dlx-1", inFlight: 0, held: 0, idleForMs: 60_000 }],
    rules: [rule],
    elapsedMs: 6_000,
    quietMs: 5_000,
    limitMs: 30_000,
    ...different,
  };
}

describe("decideDrain", () => {
  it("is over once the quiet period is, with nothing used in it and a sample from after it", () => {
    expect(decideDrain(drained())).toEqual({ kind: "drained" });
  });

  it.each<[string, Partial<DrainObservation>, string]>([
    ["the quiet period lasts", { elapsedMs: 4_999 }, "the quiet period is not over"],
    [
      "a DLX was used within it",
      { dlxs: [{ known: true, id: "b", inFlight: 0, held: 0, idleForMs: 4_999 }] },
      "it was used at DLX b",
    ],
    [
      "a sample is from the time in which the divert may not have reached everybody",
      { rules: [{ ...rule, ageMs: 1_001 }] },
      "open has no sample from after the quiet period",
    ],
    ["a rule is above its threshold", { rules: [{ ...rule, value: 1 }] }, "rule-busy (open)"],
    ["a DLX does not answer", { decision: keep("dlx-unknown", { about: "b" }) }, "dlx-unknown (b)"],
    ["a rule has no value", { decision: keep("rule-unknown") }, "rule-unknown"],
  ])("waits while %s, and ends the sleep at the limit", (_, different, about) => {
    expect(decideDrain(drained(different))).toEqual({ kind: "wait", about });
    const atLimit = { limitMs: 5_000, ...(different.elapsedMs === undefined ? {} : { limitMs: 4_999 }) };
    expect(decideDrain(drained({ ...different, ...atLimit }))).toEqual({ kind: "end", reason: "drain-timeout", about });
  });

  it("ends the sleep at once where it is in use or changed, and says which", () => {
    expect(decideDrain(drained({ decision: keep("in-flight", { about: "dlx-1" }) }))).toEqual({
      kind: "end",
      reason: "in-flight",
      about: "dlx-1",
    });
    expect(decideDrain(drained({ decision: keep("rule-busy", { about: "open" }) }))).toMatchObject({
      kind: "end",
      reason: "rule-busy",
    });
    expect(decideDrain(drained({ decision: keep("recent-activity", { nextCheckInMs: 5 }) }))).toMatchObject({
      kind: "end",
      reason: "recent-activity",
    });
  });

  it("waits for what is in use where an operator asked", () => {
    for (const reason of ["in-flight", "held", "rule-busy"] as const) {
      expect(decideDrain(drained({ isAsked: true, decision: keep(reason) }))).toEqual({ kind: "wait", about: reason });
    }
    expect(decideDrain(drained({ isAsked: true, decision: keep("needed") }))).toMatchObject({
      kind: "end",
      reason: "needed",
    });
  });

  it("takes a sample without an age on its source's word", () => {
    const { ageMs: _, ...ageless } = rule;
    expect(decideDrain(drained({ rules: [ageless] }))).toEqual({ kind: "drained" });
  });
});
