import type { ResourceRef } from "./resource-ref.ts";
import type { CallOptions } from "./resource-scaler.ts";

/** Leads requests to a resource. All that is given must match; the most specific route wins. */
export interface Route {
  readonly ref: ResourceRef;
  /** The resource's port by name; left out: its first. */
  readonly port?: string;
  /** Lower case, or `*.` and a suffix for every name below it; left out: any host. */
  readonly host?: string;
  /** Matches the path itself and everything below it, by whole segments; left out: `/`. */
  readonly pathPrefix?: string;
  /** Matches this very path and nothing below it; a slash at the end counts. Excludes `pathPrefix`. */
  readonly path?: string;
  /** Lower-case names with exact values. */
  readonly headers?: Readonly<Record<string, string>>;
  /** A dedicated listener, `host:port`: whatever comes there belongs to the resource. Excludes the other keys. */
  readonly listen?: string;
  /** Where the route was written, for messages. */
  readonly origin: string;
}

/** Who adds routes: the resources' own policies, Ingress objects, a file. Each value replaces the one before. */
export interface RouteSource extends AsyncDisposable {
  watchRoutes(options?: CallOptions): AsyncIterable<readonly Route[]>;
}
