import type { ResourceRef, Route } from "@dormouse/core";
import { toLocalRef } from "../workload-ref.ts";
import type { Pair } from "../workloads/pair-services.ts";

/** A Service's port as Ingress and HTTPRoute name it. */
interface BackendPort {
  readonly name?: string | undefined;
  readonly number?: number | undefined;
}

/** Where a backend leads: the part of a route that every match of a rule shares. */
export type Destination = Pick<Route, "ref" | "port">;

/** Which resource is behind a Service; those of nobody are not ours to route. */
export interface Backends {
  find(namespace: string, service: string, port: BackendPort): Destination | undefined;
}

/** @param scaler id of the scaler whose resources the workloads are */
export function toBackends(pairs: readonly Pair[], scaler: string): Backends {
  const byService = new Map(pairs.map((pair) => [`${pair.service.namespace}/${pair.service.name}`, pair]));
  return {
    find: (namespace, service, wanted) => {
      const pair = byService.get(`${namespace}/${service}`);
      const port = pair?.service.ports.find((each) =>
        wanted.name === undefined ? each.port === wanted.number : each.name === wanted.name,
      );
      if (pair === undefined || port === undefined) return undefined;
      const ref: ResourceRef = { scaler, ...toLocalRef(pair.workload) };
      return { ref, port: port.name ?? String(port.port) };
    },
  };
}

/** What rules of Kubernetes became, and what of them no route can say. */
export interface ReadRoutes {
  readonly routes: readonly Route[];
  /** Each names its place and why. */
  readonly skipped: readonly string[];
}
