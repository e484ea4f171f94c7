import { describe, expect, it } from "vitest";
import { idleObservation } from "../test/idle-observation.ts";
import { decideSleep } from "./decide-sleep.ts";
import type { DlxObservation, Observation, RuleObservation } from "./observation.ts";

const minute = 60_000;
const { policy } = idleObservation();

const quietDlx: DlxObservation = { known: true, id: "dlx-1", inFlight: 0, held: 0, idleForMs: 10 * minute };
const quietRule: RuleObservation = {
  metric: "open",
  windowMs: minute,
  threshold: 0,
  source: "prometheus",
  dlxOnly: false,
  value: 0,
  ageMs: 5_000,
};

function withRules(...rules: RuleObservation[]): Partial<Observation> {
  return { rules, policy: { ...policy, idleRules: rules.map((rule) => ({ window: rule.windowMs })) } };
}

describe("decideSleep", () => {
  it("sleeps where nothing keeps it awake", () => {
    expect(decideSleep(idleObservation())).toEqual({ kind: "sleep", reason: "idle" });
  });

  it.each<[string, Partial<Observation>, object]>([
    ["a policy that does not opt in", { policy: { ...policy, enabled: false } }, { reason: "not-enabled" }],
    ["one that is to run always", { policy: { ...policy, minReplicas: 1 } }, { reason: "min-replicas" }],
    ["a resource that is asleep", { state: "asleep", desired: 0, ready: 0 }, { reason: "asleep" }],
    ["one whose instances are ending", { state: "sleeping", desired: 0 }, { reason: "sleeping" }],
    ["an operation of its own", { operation: "sleep" }, { reason: "busy", about: "sleep" }],
    ["a platform that cannot be listed", { platformProblem: "SCALER_TIMEOUT" }, { reason: "platform-unknown" }],
    ["a platform that cannot compare, shared by hosts", { guarded: false }, { reason: "unguarded" }],
    ["no DLX", { dlxs: [] }, { reason: "no-dlx" }],
    [
      "requests in flight",
      { dlxs: [quietDlx, { ...quietDlx, id: "b", inFlight: 1 }] },
      { reason: "in-flight", about: "b" },
    ],
    ["held requests", { dlxs: [{ ...quietDlx, held: 2 }] }, { reason: "held", about: "dlx-1" }],
    [
      "a DLX that does not answer",
      { dlxs: [quietDlx, { known: false, id: "b", problem: "SCALER_TIMEOUT" }] },
      { reason: "dlx-unknown", about: "b" },
    ],
    ["a user that is awake", { awakeUsers: ["local/default/shop"] }, { reason: "needed", about: "local/default/shop" }],
    ["an attempt that has just failed", { retryInMs: 700 }, { reason: "backing-off", nextCheckInMs: 700 }],
    ["a wake that runs", { state: "waking" }, { reason: "waking" }],
  ])("keeps for %s", (_, different, expected) => {
    expect(decideSleep(idleObservation(different))).toMatchObject({ kind: "keep", ...expected });
  });

  it("keeps where the DLXs cannot be listed", () => {
    const { dlxs: _, ...unlisted } = idleObservation();
    expect(decideSleep(unlisted)).toMatchObject({ reason: "peers-unknown" });
  });

  it("takes the youngest activity of all DLXs", () => {
    const dlxs = [quietDlx, { ...quietDlx, id: "b", idleForMs: 4 * minute }];
    expect(decideSleep(idleObservation({ dlxs }))).toEqual({
      kind: "keep",
      reason: "recent-activity",
      nextCheckInMs: minute,
    });
  });

  it("names the condition that takes longest, so that the time it gives is when it sleeps", () => {
    const seen = { observedForMs: 4 * minute, awakeForMs: 29_000, dlxs: [{ ...quietDlx, idleForMs: 4.5 * minute }] };
    expect(decideSleep(idleObservation(seen))).toMatchObject({ reason: "observing", nextCheckInMs: minute });
    expect(decideSleep(idleObservation({ ...seen, observedForMs: 10 * minute }))).toMatchObject({
      reason: "recent-activity",
      nextCheckInMs: minute / 2,
    });
    expect(decideSleep(idleObservation({ awakeForMs: 29_000 }))).toMatchObject({
      reason: "min-awake",
      nextCheckInMs: 1_000,
    });
  });

  it("watches for as long as the longest window of all rules", () => {
    const rule = { ...quietRule, windowMs: 20 * minute };
    expect(decideSleep(idleObservation(withRules(rule)))).toMatchObject({
      reason: "observing",
      nextCheckInMs: 10 * minute,
    });
  });

  it.each<[string, Partial<RuleObservation>, string]>([
    ["above its threshold", { value: 0.001 }, "rule-busy"],
    ["that is NaN", { value: NaN }, "rule-unknown"],
    ["that is infinite", { value: Infinity }, "rule-unknown"],
    ["that is minus infinity", { value: -Infinity }, "rule-unknown"],
    ["older than half its window", { ageMs: 30_001 }, "rule-stale"],
    ["whose age is NaN", { ageMs: NaN }, "rule-stale"],
    ["from the future", { ageMs: -1 }, "rule-stale"],
  ])("keeps for a rule's value %s", (_, different, reason) => {
    const seen = idleObservation(withRules(quietRule, { ...quietRule, metric: "other", ...different }));
    expect(decideSleep(seen)).toMatchObject({ kind: "keep", reason, about: "other" });
  });

  it("keeps for a rule without a value, and for a rule that nobody asked for", () => {
    const { value: _, ...missing } = quietRule;
    expect(decideSleep(idleObservation(withRules({ ...missing, problem: "no value" })))).toMatchObject({
      reason: "rule-unknown",
    });
    expect(decideSleep(idleObservation({ ...withRules(quietRule), rules: [] }))).toMatchObject({
      reason: "rule-unknown",
    });
  });

  it("takes a value without an age on its source's word", () => {
    const { ageMs: _, ...ageless } = quietRule;
    expect(decideSleep(idleObservation(withRules(ageless)))).toMatchObject({ reason: "idle" });
  });

  describe("where traffic goes straight to the resource", () => {
    const direct = { routes: true, routing: "direct" } as const;

    it("never takes DLX counts as evidence of idleness", () => {
      expect(decideSleep(idleObservation(direct))).toMatchObject({ reason: "no-evidence" });
      const dlxRule = { ...quietRule, dlxOnly: true };
      expect(decideSleep(idleObservation({ ...direct, ...withRules(dlxRule) }))).toMatchObject({
        reason: "no-evidence",
      });
      expect(decideSleep(idleObservation({ ...direct, ...withRules(dlxRule, quietRule) }))).toMatchObject({
        reason: "idle",
      });
    });

    it("still keeps for what a DLX has in flight, holds, or saw lately", () => {
      const seen = { ...direct, ...withRules(quietRule) };
      const keeps = (dlx: Partial<DlxObservation>) =>
        decideSleep(idleObservation({ ...seen, dlxs: [{ ...quietDlx, ...dlx } as DlxObservation] }));
      expect(keeps({ inFlight: 1 })).toMatchObject({ reason: "in-flight" });
      expect(keeps({ held: 1 })).toMatchObject({ reason: "held" });
      expect(keeps({ idleForMs: 1 })).toMatchObject({ reason: "recent-activity" });
    });
  });

  describe("where traffic is diverted to the DLX for good", () => {
    const always = { routes: true, routing: "always" } as const;

    it("keeps until it is known to be diverted", () => {
      expect(decideSleep(idleObservation(always))).toMatchObject({ reason: "not-diverted" });
    });

    it("counts idleness from the divert, since no DLX saw what came before", () => {
      expect(decideSleep(idleObservation({ ...always, divertedForMs: 4 * minute }))).toMatchObject({
        reason: "recent-activity",
        nextCheckInMs: minute,
      });
      expect(decideSleep(idleObservation({ ...always, divertedForMs: 6 * minute }))).toMatchObject({ reason: "idle" });
    });
  });

  describe("of a resource that is not ready", () => {
    const unready = { state: "waking", ready: 0, unreadyForMs: 6 * minute, awakeForMs: 0 } as const;

    it("sleeps once wakeTimeout is over and nobody waits", () => {
      expect(decideSleep(idleObservation(unready))).toEqual({ kind: "sleep", reason: "never-ready" });
      expect(decideSleep(idleObservation({ ...unready, state: "failed" }))).toEqual({
        kind: "sleep",
        reason: "failed",
      });
    });

    it("keeps before, and says when", () => {
      expect(decideSleep(idleObservation({ ...unready, unreadyForMs: 4 * minute }))).toEqual({
        kind: "keep",
        reason: "waking",
        nextCheckInMs: minute,
      });
    });

    it("keeps while somebody waits, or nobody can say", () => {
      expect(decideSleep(idleObservation({ ...unready, dlxs: [{ ...quietDlx, held: 1 }] }))).toMatchObject({
        reason: "held",
      });
      expect(
        decideSleep(idleObservation({ ...unready, dlxs: [{ known: false, id: "b", problem: "x" }] })),
      ).toMatchObject({
        reason: "dlx-unknown",
      });
    });

    it("does not need metrics of what never ran, but heeds a busy one", () => {
      const { value: _, ...missing } = quietRule;
      expect(decideSleep(idleObservation({ ...unready, ...withRules(missing) }))).toMatchObject({
        reason: "never-ready",
      });
      expect(decideSleep(idleObservation({ ...unready, ...withRules({ ...quietRule, value: 3 }) }))).toMatchObject({
        reason: "rule-busy",
      });
    });
  });
});
