import type { Route } from "@dormouse/core";
import type { KubeObject } from "../kube-object.ts";
import type { Backends, Destination, ReadRoutes } from "./backends.ts";

/** An HTTPRoute of the Gateway API, `v1` and `v1beta1` alike, as far as routes come from it. */
export interface HttpRoute extends KubeObject {
  readonly spec?: {
    readonly hostnames?: readonly string[] | null;
    readonly rules?: readonly HttpRouteRule[] | null;
  };
}

interface HttpRouteRule {
  readonly matches?: readonly HttpRouteMatch[] | null;
  readonly backendRefs?: readonly BackendRef[] | null;
}

interface HttpRouteMatch {
  readonly path?: { readonly type?: string; readonly value?: string };
  readonly headers?: readonly { readonly type?: string; readonly name: string; readonly value: string }[] | null;
  readonly queryParams?: readonly unknown[] | null;
  readonly method?: string;
}

interface BackendRef {
  readonly group?: string;
  readonly kind?: string;
  readonly name: string;
  readonly namespace?: string;
  readonly port?: number;
  readonly weight?: number;
}

/**
 * The routes of an HTTPRoute whose backend is an enabled workload (https://gateway-api.sigs.k8s.io/reference/spec/). A rule
 * that parts its traffic between several workloads is the gateway's alone, and so is what matches by method, query or pattern.
 */
export function readHttpRoute(httpRoute: HttpRoute, backends: Backends): ReadRoutes {
  const { namespace = "", name } = httpRoute.metadata;
  const origin = `HTTPRoute ${namespace}/${name}`;
  const hosts = httpRoute.spec?.hostnames ?? [];
  const routes: Route[] = [];
  const skipped: string[] = [];
  for (const [index, rule] of (httpRoute.spec?.rules ?? []).entries()) {
    const to = findBackend(rule, namespace, backends);
    if (to === "several") skipped.push(`${origin}: rule ${String(index)} parts its traffic between several workloads`);
    if (to === undefined || to === "several") continue;
    for (const match of matchesOf(rule)) {
      const conditions = toConditions(match);
      if (typeof conditions === "string") skipped.push(`${origin}: rule ${String(index)} matches by ${conditions}`);
      else
        for (const host of hosts.length > 0 ? hosts : [undefined])
          routes.push({ ...to, ...(host !== undefined && { host }), ...conditions, origin });
    }
  }
  return { routes, skipped };
}

/** A backend in another namespace needs that one's consent, which only the gateway looks at: it leads nowhere here. */
function findBackend(
  { backendRefs }: HttpRouteRule,
  namespace: string,
  backends: Backends,
): Destination | "several" | undefined {
  const used = (backendRefs ?? []).filter(({ weight }) => weight !== 0);
  const found = used
    .filter((ref) => (ref.group ?? "") === "" && (ref.kind ?? "Service") === "Service")
    .filter((ref) => (ref.namespace ?? namespace) === namespace)
    .map((ref) => backends.find(namespace, ref.name, { number: ref.port }))
    .filter((destination) => destination !== undefined);
  return used.length > 1 && found.length > 0 ? "several" : found[0];
}

function matchesOf({ matches }: HttpRouteRule): readonly HttpRouteMatch[] {
  return matches === undefined || matches === null || matches.length === 0 ? [{}] : matches;
}

/** What of a route the match says, or by what it matches that no route can. */
function toConditions(match: HttpRouteMatch): Pick<Route, "path" | "pathPrefix" | "headers"> | string {
  if (match.method !== undefined) return `method ${match.method}`;
  if ((match.queryParams ?? []).length > 0) return "query parameters";
  const { type = "PathPrefix", value = "/" } = match.path ?? {};
  if (type !== "PathPrefix" && type !== "Exact") return `the pattern ${value}`;
  const headers = match.headers ?? [];
  const pattern = headers.find((header) => (header.type ?? "Exact") !== "Exact");
  if (pattern !== undefined) return `a pattern of the header ${pattern.name}`;
  const path = type === "Exact" ? { path: value } : value === "/" ? {} : { pathPrefix: value };
  if (headers.length === 0) return path;
  // Of two with one name the first counts (HTTPHeaderMatch).
  const entries = headers.map((header) => [header.name.toLowerCase(), header.value] as const).toReversed();
  return { ...path, headers: Object.fromEntries(entries) };
}
