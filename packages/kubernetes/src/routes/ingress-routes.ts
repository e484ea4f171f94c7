import type { Route } from "@dormouse/core";
import type { KubeObject } from "../kube-object.ts";
import type { Backends, Destination, ReadRoutes } from "./backends.ts";

/** An Ingress of `networking.k8s.io/v1`, as far as routes come from it. */
export interface Ingress extends KubeObject {
  readonly spec?: {
    readonly defaultBackend?: IngressBackend;
    readonly rules?: readonly IngressRule[] | null;
  };
}

interface IngressBackend {
  readonly service?: { readonly name?: string; readonly port?: { readonly name?: string; readonly number?: number } };
}

interface IngressRule {
  readonly host?: string;
  readonly http?: { readonly paths?: readonly IngressPath[] | null };
}

interface IngressPath {
  readonly path?: string;
  readonly pathType?: string;
  readonly backend?: IngressBackend;
}

/**
 * The routes of an Ingress whose backends are enabled workloads (https://kubernetes.io/docs/concepts/services-networking/ingress/).
 * Its default backend is a route for any host, which every other route comes before.
 */
export function readIngress(ingress: Ingress, backends: Backends): ReadRoutes {
  const { namespace = "", name } = ingress.metadata;
  const origin = `Ingress ${namespace}/${name}`;
  const routes: Route[] = [];
  const skipped: string[] = [];
  const findBackend = (backend: IngressBackend | undefined): Destination | undefined => {
    const service = backend?.service;
    return service?.name === undefined ? undefined : backends.find(namespace, service.name, service.port ?? {});
  };
  for (const { host, http } of ingress.spec?.rules ?? []) {
    for (const path of http?.paths ?? []) {
      const to = findBackend(path.backend);
      if (to === undefined) continue;
      const match = matchPath(path);
      if (match === undefined) skipped.push(`${origin}: ${String(path.path)} is a pattern, which no route can say`);
      else routes.push({ ...to, ...(host !== undefined && host !== "" && { host }), ...match, origin });
    }
  }
  const fallback = findBackend(ingress.spec?.defaultBackend);
  if (fallback !== undefined) routes.push({ ...fallback, origin });
  return { routes, skipped };
}

/** What controllers with patterns of their own take for one. */
const patternCharacters = /[*?()[\]{}|^$\\+]/;

function matchPath({ path = "/", pathType }: IngressPath): Pick<Route, "path" | "pathPrefix"> | undefined {
  if (pathType === "Exact") return { path };
  if (pathType === "ImplementationSpecific" && patternCharacters.test(path)) return undefined;
  return path === "/" || path === "" ? {} : { pathPrefix: path };
}
