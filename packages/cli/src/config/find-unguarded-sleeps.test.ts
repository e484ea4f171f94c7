import { defaultPolicy } from "@dormouse/core";
import { expect, it } from "vitest";
import { findUnguardedSleeps } from "./find-unguarded-sleeps.ts";

type Scaler = Parameters<typeof findUnguardedSleeps>[1][number];

function scaler(id: string, compareAndSet: boolean): Scaler {
  return { id, place: `scalers[${id}]`, scaler: { capabilities: { compareAndSet } } as Scaler["scaler"] };
}

function resource(scalerId: string, name: string, policy: object = {}) {
  const ref = { scaler: scalerId, namespace: "default", name };
  return { ref, policy: { ...defaultPolicy, enabled: true, ...policy } };
}

it("names a scaler without compare-and-set whose resources would never sleep among several hosts", () => {
  const names = ["a", "b", "c", "d", "e"];
  const resources = [...names.map((name) => resource("plain", name)), resource("safe", "x")];
  const issues = findUnguardedSleeps(resources, [scaler("plain", false), scaler("safe", true)]);
  expect(issues).toEqual([
    {
      place: "scalers[plain].use",
      problem:
        "cannot compare and set, so among several hosts plain/default/a, plain/default/b, plain/default/c and 2 more would never sleep",
      mend: expect.stringContaining("`sleep: best-effort`") as string,
    },
  ]);
});

it("has nothing against resources that accept the risk, or that nothing puts to sleep", () => {
  const resources = [
    resource("plain", "a", { sleep: "best-effort" }),
    resource("plain", "b", { enabled: false }),
    resource("plain", "c", { minReplicas: 1 }),
  ];
  expect(findUnguardedSleeps(resources, [scaler("plain", false)])).toEqual([]);
});
