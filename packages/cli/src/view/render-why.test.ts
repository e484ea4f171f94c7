import type { TargetRecord } from "@dormouse/autoscaler";
import { describe, expect, it } from "vitest";
import { someEvent } from "../../test/fake-admin-host.ts";
import type { WhyReport } from "../admin/why-report.ts";
import { createPaint } from "./paint.ts";
import { describeNext, renderWhy } from "./render-why.ts";

const now = 1_700_000_060_000;
const report: WhyReport = {
  ref: "local/default/hello",
  state: "awake",
  since: now - 42_000,
  cause: { by: "request", reason: "a request is held", at: now - 42_000 },
  replicas: { desired: 1, ready: 1, onWake: 1 },
  traffic: { held: 0, inFlight: 0, requests: 12, idleForMs: 18_000, lastActivityAt: now - 18_000, targets: 1 },
  routes: ["hello.localhost", "listener 127.0.0.1:9000"],
  entrances: [{ listen: "127.0.0.1:8080", host: "hello.localhost" }],
  because: ["It was used within `idleAfter`."],
  next: { kind: "sleep", inMs: 12_000 },
  lastWake: someEvent({ at: now - 42_000 }),
  lastSleep: someEvent({
    kind: "sleep",
    at: now - 120_000,
    outcome: "kept",
    reason: "in-flight: Requests are in flight.",
    code: "SCALER_CONFLICT",
  }),
  warnings: ["the changed configuration was refused, the old one stays: d.yaml:1:1: x"],
};

function render(over: Partial<WhyReport> = {}): string {
  return renderWhy({ ...report, ...over }, { now, paint: createPaint(false) });
}

describe("why", () => {
  it("explains an awake resource", () => {
    expect(render()).toMatchInlineSnapshot(`
      "local/default/hello is awake, for 42 s (request: a request is held)

        next        sleeps in 12 s if nobody comes
        because     It was used within \`idleAfter\`.
        replicas    1 wanted, 1 ready
        traffic     0 held, 0 in flight, 12 so far, last used 18 s ago, 1 target known
        routes      hello.localhost, listener 127.0.0.1:9000
        last wake   done in 412 ms (start 400 ms), 42 s ago, by request: a request is held
        last sleep  kept with SCALER_CONFLICT in 412 ms (start 400 ms), 2 min ago, by request: in-flight: Requests are in flight.
        warning     the changed configuration was refused, the old one stays: d.yaml:1:1: x"
    `);
  });

  it("explains what a target does with the count, and what holds it back", () => {
    const inputs = {} as TargetRecord["inputs"];
    const target: TargetRecord = {
      decision: "keep",
      reason: "cooldown",
      words: "cpu is 0.93 of 0.8 at 10 replicas, which makes 12. The count changed a moment ago.",
      next: "`cooldown` has to pass; in 9s",
      inputs,
    };
    const decision = { at: now, decision: "keep", reason: "recent-activity", words: "", next: "" } as const;
    expect(render({ decision: { ...decision, target } })).toContain(
      "target      cpu is 0.93 of 0.8 at 10 replicas, which makes 12. The count changed a moment ago. To change that, `cooldown` has to pass; in 9s.\n",
    );
    const raised = { ...target, decision: "scale", reason: "above-target", words: "It goes to 12." } as const;
    expect(render({ decision: { ...decision, target: raised } })).toContain("target      It goes to 12.\n");
    expect(render({ decision: { ...decision, target }, state: "asleep" })).not.toContain("target  ");
  });

  it("explains a failed one with the platform's own words", () => {
    const text = render({
      state: "failed",
      failure: { code: "SCALER_START_FAILED", message: "exit code 1: no such file" },
      next: { kind: "wake-on-request", notBeforeMs: 4_000 },
    });
    expect(text).toContain("failure     SCALER_START_FAILED: exit code 1: no such file");
    expect(text).toContain(
      "next        the last wake failed; requests are refused for 4 s, then the next one tries again",
    );
  });

  it("says why one is left alone", () => {
    const text = render({ refusal: { code: "SCALER_BAD_OPTIONS", message: "idle-after is no duration" } });
    expect(text).toContain("left alone  SCALER_BAD_OPTIONS: idle-after is no duration");
  });

  it("says how many a wake starts where nothing runs, and that nothing leads here", () => {
    const text = render({ state: "asleep", replicas: { desired: 0, ready: 0, onWake: 3 }, routes: [] });
    expect(text).toContain("replicas    none; a wake starts 3");
    expect(text).toContain("routes      none: nothing leads here but dormouse wake");
  });
});

describe("what comes next", () => {
  it.each([
    [{ kind: "sleep", inMs: 42_000 }, "sleeps in 42 s if nobody comes"],
    [{ kind: "sleep", inMs: 0 }, "sleeps with the next tick if nobody comes"],
    [{ kind: "stay", until: "they have to end" }, "stays as it is: they have to end"],
    [
      { kind: "wake-on-request", notBeforeMs: 0, typicalWakeMs: 412 },
      "the next request wakes it; that usually takes up to 412 ms",
    ],
    [{ kind: "running", operation: "wake", typicalMs: 412 }, "is being woken; that usually takes up to 412 ms"],
    [{ kind: "running", operation: "sleep" }, "is being put to sleep"],
  ] as const)("%j", (next, text) => {
    expect(describeNext(next)).toBe(text);
  });
});
