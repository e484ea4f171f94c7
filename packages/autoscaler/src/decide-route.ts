import type { Milliseconds, RoutingMode } from "@dormouse/core";
import type { KnownRoute } from "./resource-tracker.ts";

/** What a decision about a resource's route rests on. */
export interface RouteObservation {
  readonly enabled: boolean;
  readonly desired: number;
  readonly ready: number;
  readonly version: string;
  readonly routing: RoutingMode;
  /** Where this process sent the traffic last, if it did. */
  readonly route?: Pick<KnownRoute, "to" | "version">;
  /** The version comes from a write of this process. */
  readonly isOwnVersion: boolean;
  /** How long the version has been this one. */
  readonly unchangedForMs: Milliseconds;
  /** After so long without change another holder's mark counts as left behind. */
  readonly sleepTimeoutMs: Milliseconds;
  /** At least one DLX answered. */
  readonly hasDlx: boolean;
}

/** What the reconciler does about a route, and why. */
export type RouteDecision =
  | { readonly kind: "divert" | "restore"; readonly reason: string }
  | { readonly kind: "leave"; readonly reason: string };

/**
 * Where the traffic of a resource should go, if it is not known to go there. The contract has no fact that tells, so a
 * route counts as known only at the version at which this process set it: each version that somebody else produced is
 * asserted once.
 */
export function decideRoute(seen: RouteObservation): RouteDecision {
  const wanted = seen.desired === 0 || (seen.enabled && seen.routing === "always") ? "dlx" : "resource";
  if (!seen.enabled && !(seen.route?.to === "dlx" && wanted === "resource")) return leave("the policy does not opt in");
  if (seen.route?.to === wanted && seen.route.version === seen.version) return leave("it is as it should be");
  return wanted === "dlx" ? decideDivert(seen) : decideRestore(seen);
}

function decideDivert(seen: RouteObservation): RouteDecision {
  if (!seen.hasDlx) return leave("no DLX answered");
  const reason =
    seen.desired === 0 ? "it is asleep and was not known to be diverted" : "its traffic should pass the DLX";
  return { kind: "divert", reason };
}

function decideRestore(seen: RouteObservation): RouteDecision {
  if (seen.ready < seen.desired) return leave("not all replicas are ready");
  if (seen.isOwnVersion) return { kind: "restore", reason: "a sleep that was begun here has ended" };
  if (seen.unchangedForMs < seen.sleepTimeoutMs) return leave("another process may be at it");
  return { kind: "restore", reason: "it is awake and was not known to be restored" };
}

function leave(reason: string): RouteDecision {
  return { kind: "leave", reason };
}
