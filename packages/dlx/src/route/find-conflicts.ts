import { formatRef, type Route } from "@dormouse/core";
import { routeKey } from "./route-key.ts";

/** Routes that match the same requests and lead to different places. */
export interface RouteConflict {
  /** What they match, for example `app.example.com/shop/`. */
  readonly key: string;
  /** The one that stays, which came first. */
  readonly kept: Route;
  /** Those that are left out. */
  readonly left: readonly Route[];
}

/** Every set of routes that cannot stand side by side. The same resource and port twice is no conflict. */
export function findConflicts(routes: readonly Route[]): readonly RouteConflict[] {
  const byKey = new Map<string, { readonly kept: Route; readonly left: Route[] }>();
  for (const route of routes) {
    const key = routeKey(route);
    const first = byKey.get(key);
    if (first === undefined) byKey.set(key, { kept: route, left: [] });
    else if (!leadsTogether(first.kept, route)) first.left.push(route);
  }
  return [...byKey].filter(([, { left }]) => left.length > 0).map(([key, { kept, left }]) => ({ key, kept, left }));
}

/** One line that names both resources and where the routes were written. */
export function describeConflict({ key, kept, left }: RouteConflict): string {
  const others = left.map((route) => `${formatRef(route.ref)} (${route.origin})`).join(", ");
  return `${key} leads to ${formatRef(kept.ref)} (${kept.origin}) and to ${others}`;
}

function leadsTogether(one: Route, other: Route): boolean {
  return formatRef(one.ref) === formatRef(other.ref) && one.port === other.port;
}
