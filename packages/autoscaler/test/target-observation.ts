import { defaultPolicy, parsePolicy } from "@dormouse/core";
import type { TargetObservation, TargetPolicy } from "../src/index.ts";

/** Changes the count at once, both ways, as far as the formula says. */
export const eager: Pick<TargetPolicy, "scaleUp" | "scaleDown" | "cooldown" | "flapGuard"> = {
  scaleUp: {
    stabilizationWindow: 0,
    selectPolicy: "max",
    policies: [{ type: "percent", value: 1_000_000, period: 1 }],
  },
  scaleDown: { stabilizationWindow: 0, selectPolicy: "max", policies: [{ type: "percent", value: 100, period: 1 }] },
  cooldown: 0,
  flapGuard: { reversals: 0, window: 600_000 },
};

/** A policy that keeps `cpu` at 0.8, with Dormouse's defaults. */
export const cpuPolicy: TargetPolicy = parsePolicy({ target: { metric: "cpu", value: 0.8 } }, defaultPolicy, "");

/** Ten replicas, all ready, with a value that has just been measured. */
export function cpuAt(value: number, different: Partial<TargetObservation> = {}): TargetObservation {
  return {
    desired: 10,
    ready: 10,
    replicas: "many",
    policy: { ...cpuPolicy, ...eager },
    sample: { source: "metrics", value, ageMs: 0 },
    ...different,
  };
}
