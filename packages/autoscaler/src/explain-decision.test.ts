import { describe, expect, it } from "vitest";
import { idleObservation } from "../test/idle-observation.ts";
import { decideSleep } from "./decide-sleep.ts";
import { keep } from "./decision.ts";
import { decisionReasons } from "./decision-reasons.ts";
import { explainDecision } from "./explain-decision.ts";
import { sleepEndReasons } from "./sleep-end.ts";

describe("explainDecision", () => {
  it("says when it will sleep, in times that people read", () => {
    const seen = idleObservation({ dlxs: [{ known: true, id: "d", inFlight: 0, held: 0, idleForMs: 288_400 }] });
    expect(explainDecision(decideSleep(seen), seen)).toEqual({
      words: "It was used within `idleAfter`.",
      next: "it sleeps in 12s unless it is used before",
    });
    expect(explainDecision(keep("waking", { nextCheckInMs: 90_000 })).next).toBe(
      "it has to become ready, or is put to sleep in 90s",
    );
    expect(explainDecision(keep("backing-off", { nextCheckInMs: 250 })).next).toBe("it is tried again in 250ms");
    expect(explainDecision(keep("observing", { nextCheckInMs: Infinity })).next).toContain("no foreseeable time");
  });

  it("names what it is about, and a rule with its numbers", () => {
    expect(explainDecision(keep("in-flight", { about: "dlx-2" })).words).toBe("Requests are in flight: dlx-2.");
    const rule = { metric: "open", windowMs: 60_000, threshold: 0.5, source: "prometheus", dlxOnly: false };
    const busy = idleObservation({ rules: [{ ...rule, value: 2, ageMs: 4_200 }] });
    expect(explainDecision(keep("rule-busy", { about: "open" }), busy).words).toBe(
      "An idle rule is above its threshold: open is 2, 5s old, its threshold 0.5.",
    );
    const unknown = idleObservation({ rules: [{ ...rule, problem: "no value" }] });
    expect(explainDecision(keep("rule-unknown", { about: "open" }), unknown).words).toBe(
      "An idle rule has no value, or one that is no number: open of source prometheus (no value).",
    );
  });

  it.each(Object.entries({ ...decisionReasons, ...sleepEndReasons }))(
    "has a sentence for %s, and what comes next",
    (_, { meaning, next }) => {
      expect(meaning).toMatch(/^[A-Z].*\.$/);
      expect(next).not.toMatch(/[.]$/);
    },
  );
});
