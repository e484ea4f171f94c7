import { type CatalogEntry, decideRouting, type SeesDirect, type TargetGoal } from "@dormouse/core";
import type { OperationKind } from "./operations.ts";
import type { RuleReading } from "./read-rules.ts";
import type { TargetObservation } from "./target-observation.ts";

/** What a decision about a target needs besides the readings. */
export interface TargetSurroundings {
  readonly seesDirect: SeesDirect;
  readonly operation: OperationKind | undefined;
  readonly platformProblem: string | undefined;
  readonly retryInMs: number | undefined;
}

/** Puts together what one decision about one resource's target rests on. */
export function observeTarget(
  { key, resource, state, scaler }: Pick<CatalogEntry, "key" | "resource" | "state" | "scaler">,
  goal: TargetGoal,
  rules: RuleReading,
  { seesDirect, operation, platformProblem, retryInMs }: TargetSurroundings,
): TargetObservation {
  const { policy, desired, ready } = resource;
  const { replicas, routing: routes } = scaler.capabilities;
  return {
    desired,
    ready,
    replicas,
    policy,
    sample: rules.sample(key, goal),
    routing: decideRouting(policy, { routes, seesDirect }),
    ...(operation !== undefined && { operation }),
    ...(state.kind !== "awake" && ready > 0 && { inTransition: true }),
    ...(platformProblem !== undefined && { platformProblem }),
    ...(retryInMs !== undefined && { retryInMs }),
  };
}
