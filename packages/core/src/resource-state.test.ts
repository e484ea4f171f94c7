import { describe, expect, it } from "vitest";
import { nextState, type Operation, type ResourceState } from "./resource-state.ts";

const failure = { code: "SCALER_START_FAILED", message: "exit 1" } as const;

/** Every combination of facts and operation: desired, ready, whether it fails, operation, the state that follows. */
const table: readonly (readonly [number, number, boolean, Operation, ResourceState["kind"]])[] = [
  [0, 0, false, undefined, "asleep"],
  [0, 0, true, undefined, "asleep"],
  [0, 1, false, undefined, "sleeping"],
  [0, 1, true, undefined, "sleeping"],
  [1, 0, false, undefined, "waking"],
  [1, 0, true, undefined, "failed"],
  [1, 1, false, undefined, "awake"],
  [1, 1, true, undefined, "awake"],
  [2, 1, false, undefined, "awake"],
  ...[0, 1].flatMap((desired) =>
    [0, 1].flatMap((ready) =>
      [false, true].flatMap((fails) => [
        [desired, ready, fails, "wake", "waking"] as const,
        [desired, ready, fails, "sleep", "sleeping"] as const,
      ]),
    ),
  ),
];

describe("nextState", () => {
  it.each(table)("desired %d, ready %d, failing %s, operation %s: %s", (desired, ready, fails, operation, kind) => {
    const facts = { desired, ready, ...(fails && { failure }) };
    const expected = kind === "failed" ? { kind, since: 100, failure } : { kind, since: 100 };
    expect(nextState(undefined, facts, operation, 100)).toEqual(expected);
  });

  it("keeps the time since which the state is the same, and begins it anew with another", () => {
    const first = nextState(undefined, { desired: 1, ready: 1 }, undefined, 100);
    const second = nextState(first, { desired: 2, ready: 2 }, undefined, 200);
    expect(second).toEqual({ kind: "awake", since: 100 });
    expect(nextState(second, { desired: 0, ready: 0 }, undefined, 300)).toEqual({ kind: "asleep", since: 300 });
  });

  it("shows the latest failure and the time of the first", () => {
    const first = nextState(undefined, { desired: 1, ready: 0, failure }, undefined, 100);
    const other = { code: "SCALER_IMAGE_PULL", message: "no such image" } as const;
    expect(nextState(first, { desired: 1, ready: 0, failure: other }, undefined, 200)).toEqual({
      kind: "failed",
      since: 100,
      failure: other,
    });
  });
});
