import { type ConfigIssue, formatRef, type Route } from "@dormouse/core";
import { findConflicts, policyRoutes, type RouteConflict } from "@dormouse/dlx";
import type { PlacedResource } from "./placed-resource.ts";

/** Listeners that belong to the host itself, by the place of their key. */
export type HostListeners = ReadonlyMap<string, readonly string[]>;

/** Two resources that claim the same route or dedicated listener, and listeners that the host needs itself. */
export function findRouteConflicts(
  resources: readonly PlacedResource[],
  host: HostListeners = new Map(),
): ConfigIssue[] {
  const byKey = new Map(resources.map((resource) => [formatRef(resource.ref), resource]));
  const conflicts = findConflicts(
    [...byKey].flatMap(([key, resource]) => policyRoutes({ ref: resource.ref, key, resource })),
  );
  return [...conflicts.flatMap((conflict) => conflictIssues(conflict, byKey)), ...listenerIssues(byKey, host)];
}

function conflictIssues({ key, kept, left }: RouteConflict, byKey: ReadonlyMap<string, PlacedResource>): ConfigIssue[] {
  return left.map((route) => ({
    place: placeOf(route, byKey),
    problem: `${key} leads to ${formatRef(kept.ref)} already`,
    mend: "give one of them another host, pathPrefix, header or listener",
  }));
}

function listenerIssues(byKey: ReadonlyMap<string, PlacedResource>, host: HostListeners): ConfigIssue[] {
  const owners = new Map(
    [...host].flatMap(([place, addresses]) => addresses.map((address) => [address, place] as const)),
  );
  return [...byKey.values()].flatMap(({ ref, place, policy }) =>
    policy.listen.flatMap((address): ConfigIssue[] => {
      const owner = address.endsWith(":0") ? undefined : owners.get(address);
      if (owner === undefined) return [];
      const at = place === undefined ? formatRef(ref) : `${place}.policy.listen`;
      return [{ place: at, problem: `${address} is the address of ${owner} already`, mend: "choose another port" }];
    }),
  );
}

/** The key of the policy that asks for the route, or the resource's name where its platform says it. */
function placeOf(route: Route, byKey: ReadonlyMap<string, PlacedResource>): string {
  const name = formatRef(route.ref);
  const place = byKey.get(name)?.place;
  return place === undefined ? name : `${place}.policy.${keyOf(route)}`;
}

function keyOf({ listen, host, pathPrefix }: Route): string {
  if (listen !== undefined) return "listen";
  if (host !== undefined) return "hosts";
  return pathPrefix === undefined ? "headers" : "pathPrefix";
}
