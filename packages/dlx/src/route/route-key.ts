import type { Route } from "@dormouse/core";

/** `/a/` and `/a` are one prefix; `/` is none. */
export function toPrefix(pathPrefix: string | undefined): string {
  let end = pathPrefix?.length ?? 0;
  while (end > 0 && pathPrefix?.charCodeAt(end - 1) === 0x2f) end -= 1;
  return pathPrefix?.slice(0, end) ?? "";
}

/** What a route matches, as one line that people can read; two routes with the same one compete for the same requests. */
export function routeKey(route: Route): string {
  if (route.listen !== undefined) return `listener ${route.listen.toLowerCase()}`;
  const headers = Object.entries(route.headers ?? {})
    .map(([name, value]) => `${name.toLowerCase()}: ${value}`)
    .sort();
  const conditions = headers.length === 0 ? "" : ` with ${headers.join(", ")}`;
  const path = route.path === undefined ? `${toPrefix(route.pathPrefix)}/` : `${route.path} exactly`;
  return `${toHost(route.host) ?? "any host"}${path}${conditions}`;
}

/** A route's host as the table keeps it: lower case, without a trailing dot. */
export function toHost(host: string | undefined): string | undefined {
  const lower = host?.toLowerCase();
  return lower?.endsWith(".") === true ? lower.slice(0, -1) : lower;
}
