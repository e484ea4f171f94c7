import { matchesLabels } from "./match-labels.ts";
import { workloadAnnotations } from "./names.ts";
import type { ServiceObject } from "./objects.ts";
import type { RouteRecord } from "./route-record.ts";
import { refOf, type Workload } from "./workload.ts";

/** The Service whose traffic a workload gets, none, or why it cannot be said. */
export type FoundService =
  | { readonly kind: "found"; readonly service: ServiceObject }
  /** None, or refused: `service` is the one whose traffic was diverted for this workload before. */
  | { readonly kind: "none" | "refused"; readonly problem: string; readonly service?: ServiceObject };

/** Everything in the workload's namespace that the search may look at. */
export interface Neighbours {
  readonly services: readonly ServiceObject[];
  /** Workloads of any kind, this one included. */
  readonly workloads: readonly Workload[];
  /** Who last sent a Service's traffic where. */
  readonly routeOf: (service: ServiceObject) => RouteRecord | undefined;
}

/**
 * Finds the one Service before a workload: the one that it names, else the only one whose selector matches its pods.
 * Refused is what cannot be diverted without harm to others.
 */
export function findService(workload: Workload, neighbours: Neighbours): FoundService {
  const found = find(workload, neighbours);
  if (found.kind === "found") return found;
  const { services, routeOf } = neighbours;
  const service = services.find((each) => routeOf(each)?.uid === workload.metadata.uid);
  return service === undefined ? found : { ...found, service };
}

function find(workload: Workload, { services, workloads }: Neighbours): FoundService {
  const named = workload.metadata.annotations?.[workloadAnnotations.service];
  const found = named === undefined ? findBySelector(workload, services) : findByName(named, workload, services);
  if (found.kind !== "found") return found;
  const problem = problemOf(found.service) ?? sharedWith(found.service, workload, workloads);
  return problem === undefined ? found : { kind: "refused", problem };
}

function findByName(name: string, workload: Workload, services: readonly ServiceObject[]): FoundService {
  const service = services.find(({ metadata }) => metadata.name === name.trim());
  if (service === undefined)
    return refused(
      `there is no Service ${JSON.stringify(name)} in ${workload.metadata.namespace}; correct ${workloadAnnotations.service}`,
    );
  if (service.spec.type === "ExternalName" || isHeadless(service)) return { kind: "found", service };
  return matchesLabels(service.spec.selector, labelsOf(workload))
    ? { kind: "found", service }
    : refused(
        `the selector of Service ${service.metadata.name} does not match the labels of its pods; correct one of them`,
      );
}

/** A headless Service beside an ordinary one, as StatefulSets have it, is passed over. */
function findBySelector(workload: Workload, services: readonly ServiceObject[]): FoundService {
  const matching = services.filter(({ spec }) => matchesLabels(spec.selector, labelsOf(workload)));
  const ordinary = matching.filter((service) => !isHeadless(service));
  const [first, second] = ordinary.length > 0 ? ordinary : matching;
  if (first === undefined)
    return {
      kind: "none",
      problem: `no Service selects its pods; name one by ${workloadAnnotations.service}, or give hosts by dormouse.dev/hosts`,
    };
  if (second === undefined) return { kind: "found", service: first };
  const names = ordinary.map(({ metadata }) => metadata.name).toSorted();
  return refused(
    `several Services select its pods: ${names.slice(0, 5).join(", ")}; name one by ${workloadAnnotations.service}`,
  );
}

function problemOf({ metadata: { name }, spec }: ServiceObject): string | undefined {
  if (spec.type === "ExternalName")
    return `Service ${name} is an ExternalName: its traffic is not the cluster's to divert; use one with a ClusterIP`;
  if (spec.clusterIP === "None")
    return `Service ${name} is headless: its clients go to the pods themselves; add one with a ClusterIP`;
  if (spec.internalTrafficPolicy === "Local") return policyProblem(name, "internalTrafficPolicy");
  if (spec.externalTrafficPolicy === "Local") return policyProblem(name, "externalTrafficPolicy");
  return undefined;
}

function policyProblem(name: string, field: string): string {
  return `Service ${name} has ${field} Local: nodes without a DLX would refuse its traffic; set it to Cluster`;
}

function sharedWith(service: ServiceObject, workload: Workload, workloads: readonly Workload[]): string | undefined {
  const others = workloads
    .filter(
      (other) => other.metadata.uid !== workload.metadata.uid && matchesLabels(service.spec.selector, labelsOf(other)),
    )
    .map((other) => `${other.kind} ${refOf(other).name}`)
    .toSorted();
  if (others.length === 0) return undefined;
  return `Service ${service.metadata.name} also selects the pods of ${others.slice(0, 5).join(", ")}; give each workload a Service of its own`;
}

function isHeadless({ spec }: ServiceObject): boolean {
  return spec.clusterIP === "None";
}

function labelsOf({ spec }: Workload): Readonly<Record<string, string>> {
  return spec.template.metadata?.labels ?? {};
}

function refused(problem: string): FoundService {
  return { kind: "refused", problem };
}
