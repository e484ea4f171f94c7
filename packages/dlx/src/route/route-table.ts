import type { IncomingHttpHeaders } from "node:http";
import { formatRef, type Route } from "@dormouse/core";
import { toHostName } from "./host-name.ts";
import { routeKey, toHost, toPrefix } from "./route-key.ts";

/** Authorities whose hosts are remembered; real clients ask for few. */
const rememberedAuthorities = 1_000;

/** What the table found. */
export interface RouteMatch {
  readonly route: Route;
  /** The resource's printed ref. */
  readonly key: string;
}

interface HeaderRoute extends RouteMatch {
  /** Lower-case names and exact values. */
  readonly headers: readonly (readonly [string, string])[];
}

/** The routes of one host name, one wildcard, or of no host at all. */
interface HostRoutes {
  /** By prefix without its last slash; within one prefix the routes with more headers come first. */
  readonly byPrefix: Map<string, HeaderRoute[]>;
  longestPrefix: number;
  /** The same by whole paths; undefined where no route has one. */
  byPath?: Map<string, HeaderRoute[]>;
}

/**
 * Finds the route of a request on the shared listener. All that a route says must match, and the most specific route
 * wins: an exact host before a wildcard before none, a longer wildcard before a shorter one, then the whole path before
 * the longer path prefix, then the one with more headers. Immutable: other routes are another table.
 */
export class RouteTable {
  readonly #exact = new Map<string, HostRoutes>();
  readonly #wildcard = new Map<string, HostRoutes>();
  readonly #any: HostRoutes = { byPrefix: new Map(), longestPrefix: 0 };
  readonly #remembered = new Map<string, readonly HostRoutes[]>();
  readonly size: number;

  /** @param routes of two with one and the same key the first one stays; routes with `listen` are not for this table */
  constructor(routes: readonly Route[]) {
    const seen = new Set<string>();
    for (const route of routes) {
      const key = routeKey(route);
      if (route.listen !== undefined || seen.has(key)) continue;
      seen.add(key);
      addRoute(this.#hostRoutes(route.host), route);
    }
    this.size = seen.size;
  }

  /**
   * @param authority the Host header, or the authority of an absolute-form request; undefined or invalid: no host
   * @param path path of the request, with or without a query
   */
  match(authority: string | undefined, path: string, headers: IncomingHttpHeaders): RouteMatch | undefined {
    for (const routes of this.#candidates(authority ?? "")) {
      const route = matchPath(routes, path, headers);
      if (route !== undefined) return route;
    }
    return undefined;
  }

  #hostRoutes(host: string | undefined): HostRoutes {
    const name = toHost(host);
    if (name === undefined) return this.#any;
    const [hosts, key] = name.startsWith("*.") ? [this.#wildcard, name.slice(2)] : [this.#exact, name];
    const known = hosts.get(key) ?? { byPrefix: new Map(), longestPrefix: 0 };
    hosts.set(key, known);
    return known;
  }

  #candidates(authority: string): readonly HostRoutes[] {
    const remembered = this.#remembered.get(authority);
    if (remembered !== undefined) return remembered;
    const candidates = this.#lookUp(toHostName(authority) ?? "");
    if (this.#remembered.size >= rememberedAuthorities) this.#remembered.clear();
    this.#remembered.set(authority, candidates);
    return candidates;
  }

  #lookUp(name: string): readonly HostRoutes[] {
    const found = [this.#exact.get(name)];
    for (let dot = name.indexOf("."); dot > 0; dot = name.indexOf(".", dot + 1)) {
      found.push(this.#wildcard.get(name.slice(dot + 1)));
    }
    found.push(this.#any);
    return found.filter((routes) => routes !== undefined && !isEmpty(routes)) as readonly HostRoutes[];
  }
}

function isEmpty({ byPrefix, byPath }: HostRoutes): boolean {
  return byPrefix.size === 0 && byPath === undefined;
}

function addRoute(routes: HostRoutes, route: Route): void {
  const bucket = bucketOf(routes, route);
  const headers = Object.entries(route.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value] as const);
  bucket.push({ route, key: formatRef(route.ref), headers });
  bucket.sort((one, other) => other.headers.length - one.headers.length);
}

function bucketOf(routes: HostRoutes, { path, pathPrefix }: Route): HeaderRoute[] {
  const key = path ?? toPrefix(pathPrefix);
  const buckets = path === undefined ? routes.byPrefix : (routes.byPath ??= new Map<string, HeaderRoute[]>());
  if (path === undefined) routes.longestPrefix = Math.max(routes.longestPrefix, key.length);
  const bucket = buckets.get(key) ?? [];
  buckets.set(key, bucket);
  return bucket;
}

/** Looks at the whole path first, then at its prefixes from the longest that any route has down to none, cut at slashes. */
function matchPath(routes: HostRoutes, path: string, headers: IncomingHttpHeaders): RouteMatch | undefined {
  const query = path.indexOf("?");
  let end = query === -1 ? path.length : query;
  const whole = routes.byPath?.get(path.slice(0, end))?.find((one) => matchHeaders(one, headers));
  if (whole !== undefined) return whole;
  if (end > routes.longestPrefix) end = Math.max(0, path.lastIndexOf("/", routes.longestPrefix));
  for (; ; end = path.lastIndexOf("/", end - 1)) {
    const bucket = routes.byPrefix.get(path.slice(0, end));
    if (bucket !== undefined) {
      for (const one of bucket) if (matchHeaders(one, headers)) return one;
    }
    if (end <= 0) return undefined;
  }
}

function matchHeaders(route: HeaderRoute, headers: IncomingHttpHeaders): boolean {
  for (const [name, value] of route.headers) if (headers[name] !== value) return false;
  return true;
}
