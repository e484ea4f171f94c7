import type { Milliseconds, RouteDirection, RoutingMode } from "@dormouse/core";

/** What a decision about a resource's route rests on. */
export interface RouteObservation {
  readonly enabled: boolean;
  readonly desired: number;
  readonly ready: number;
  readonly routing: RoutingMode;
  /** Where the traffic goes, as the platform shows it or as this process has sent it; left out: not known. */
  readonly route?: RouteDirection;
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
 * Where the traffic of a resource should go, if it is not known to go there. What is known to be right is left alone,
 * whoever did it. Where the platform does not show its routes, one is known only at the version at which this process
 * set it: each version that somebody else produced is asserted once.
 */
export function decideRoute(seen: RouteObservation): RouteDecision {
  const wanted = seen.desired === 0 || seen.routing === "always" ? "dlx" : "resource";
  if (!seen.enabled && !(seen.route === "dlx" && wanted === "resource")) return leave("the policy does not opt in");
  if (seen.route === wanted) return leave("it is as it should be");
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
