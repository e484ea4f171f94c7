import { type CatalogEntry, decideRouting, type Milliseconds, type SeesDirect } from "@dormouse/core";
import type { Observation } from "./observation.ts";
import type { OperationKind } from "./operations.ts";
import { type ActivityReading, activityOf } from "./read-activity.ts";
import type { RuleReading } from "./read-rules.ts";
import type { ResourceTracker } from "./resource-tracker.ts";

/** What was read at one moment, for all resources. */
export interface Reading {
  readonly activity: ActivityReading;
  readonly rules: RuleReading;
  /** Monotonic ms since when this process has watched without a gap; left out: it does not. */
  readonly watchedSince?: Milliseconds;
}

/** What a decision needs besides the readings. */
export interface Surroundings {
  readonly seesDirect: SeesDirect;
  /** Autoscaler and all DLXs are one process. */
  readonly singleHost: boolean;
  readonly awakeUsers: readonly string[];
  readonly platformProblem: string | undefined;
  readonly operation: OperationKind | undefined;
  /** Monotonic ms. */
  readonly now: Milliseconds;
}

/** Puts together what one decision about one resource rests on. */
export function observeResource(
  { key, resource, state, scaler }: Pick<CatalogEntry, "key" | "resource" | "state" | "scaler">,
  tracker: ResourceTracker,
  { activity, rules, watchedSince }: Reading,
  { seesDirect, singleHost, awakeUsers, platformProblem, operation, now }: Surroundings,
): Observation {
  const { policy } = resource;
  const { routing: routes, compareAndSet } = scaler.capabilities;
  const dlxs = activityOf(activity, key);
  const divertedForMs = tracker.divertedForMs(resource.version, now);
  const retryInMs = tracker.retryInMs(now);
  return {
    state: state.kind,
    desired: resource.desired,
    ready: resource.ready,
    policy,
    awakeForMs: tracker.awakeForMs(now),
    unreadyForMs: tracker.unreadyForMs(now),
    observedForMs: watchedSince === undefined ? 0 : now - Math.max(watchedSince, tracker.firstSeenAt),
    routes,
    routing: decideRouting(policy, { routes, seesDirect }),
    guarded: compareAndSet || singleHost || policy.sleep === "best-effort",
    rules: policy.idleRules.map((rule) => rules.observe(key, rule)),
    awakeUsers,
    ...(divertedForMs !== undefined && { divertedForMs }),
    ...(dlxs !== undefined && { dlxs }),
    ...(platformProblem !== undefined && { platformProblem }),
    ...(operation !== undefined && { operation }),
    ...(retryInMs !== undefined && { retryInMs }),
  };
}
