import { describe, expect, it } from "vitest";
import { cpuAt } from "../test/target-observation.ts";
import { explainTarget } from "./explain-target.ts";
import { keepCount } from "./target-decision.ts";

const seen = cpuAt(0.93);
const figures = { average: 0.93, wanted: 12, stabilized: 12 };

describe("explainTarget", () => {
  it("gives the numbers, what comes of them, what holds it back and for how long", () => {
    expect(explainTarget(keepCount("cooldown", { figures, nextCheckInMs: 8_200 }), seen)).toEqual({
      words:
        "cpu is 0.93 of 0.8 at 10 replicas, which makes 12. The count changed within `cooldown`, or this autoscaler has not watched it for as long.",
      next: "`cooldown` has to pass; in 9s",
    });
  });

  it("says where a change stops short, and by what", () => {
    const step = { kind: "scale", reason: "above-target", from: 10, to: 11 } as const;
    expect(explainTarget({ ...step, to: 12, figures }, seen).words).toMatch(/it goes to 12\.$/);
    expect(explainTarget({ ...step, figures }, seen).words).toMatch(
      /it goes to 11, since its policies allow no more at once\.$/,
    );
    expect(explainTarget({ ...step, figures: { ...figures, stabilized: 11 } }, seen).words).toMatch(
      /it goes to 11, since its stabilisation window holds it back\.$/,
    );
    expect(explainTarget({ kind: "scale", reason: "above-max", from: 10, to: 5 }, seen)).toEqual({
      words: "It has more replicas than `maxReplicas`: it goes to 5.",
      next: "it is lowered to that",
    });
  });

  it("names what is unknown, and rounds what nobody reads", () => {
    expect(explainTarget(keepCount("value-unknown", { about: "no value" }), seen).words).toBe(
      "The target's metric has no value, or one that is no number from 0: no value.",
    );
    const long = { average: 0.799_999_999, wanted: 1, stabilized: 1 };
    const one = cpuAt(0.8, { desired: 1, ready: 1 });
    expect(explainTarget(keepCount("on-target", { figures: long }), one).words).toBe(
      "cpu is 0.8 of 0.8 at 1 replica. It is at its target, or within the tolerance.",
    );
  });
});
