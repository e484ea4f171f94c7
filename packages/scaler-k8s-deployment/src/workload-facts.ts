import type { Policy, Resource, ResourcePort, RouteDirection } from "@dormouse/core";
import { failureOf, type SchedulingPatience } from "./k8s-deployment-error.ts";
import type { PodObject, ServiceObject, SliceObject } from "./objects.ts";
import { planWorkload, type WorkloadPlan } from "./plan-workload.ts";
import { isLiving, isReady } from "./pod.ts";
import { readRoute, readWakeReplicas, type RouteRecord } from "./route-record.ts";
import { routedTo } from "./routed-to.ts";
import { formatVersion, versionOf } from "./version.ts";
import type { WatchedCluster } from "./watched-cluster.ts";
import { hasOwnAnnotations, refOf, wasManaged, type Workload } from "./workload.ts";

/** What facts are read from. */
export type FactsSource = Pick<
  WatchedCluster,
  "scaledObjectOf" | "servicesIn" | "workloadsIn" | "isReleased" | "slicesOf" | "podsOf"
>;

/** What is known of a workload and of its surroundings at one moment. */
export interface WorkloadFacts {
  readonly workload: Workload;
  readonly plan: WorkloadPlan;
  /** Our slices of its Service. */
  readonly slices: readonly SliceObject[];
  readonly routedTo: RouteDirection | undefined;
  /** Who last sent its Service's traffic where. */
  readonly route: RouteRecord | undefined;
  /** Replicas that a wake asks for. */
  readonly wakeReplicas: number;
  /** Whether there is anything to say of it: it is managed, or something of Dormouse is left on it. */
  readonly isListed: boolean;
  /** Something of Dormouse is on it or on its Service. */
  readonly hasLeftovers: boolean;
}

/** Puts together what the watched cluster knows of a workload. */
export function factsOf(workload: Workload, watched: FactsSource, defaults: Policy): WorkloadFacts {
  const { namespace } = workload.metadata;
  const scaledObject = watched.scaledObjectOf(workload);
  const surroundings = {
    services: watched.servicesIn(namespace),
    workloads: watched.workloadsIn(namespace),
    routeOf: (service: ServiceObject) => routeOf(service, watched),
    defaults,
  };
  const written = planWorkload(workload, { ...surroundings, ...(scaledObject !== undefined && { scaledObject }) });
  const plan = watched.isReleased ? { ...written, policy: { ...written.policy, enabled: false } } : written;
  const { service } = plan;
  const slices = service === undefined ? [] : watched.slicesOf(namespace, service.metadata.name);
  const hasPods = watched.podsOf(workload).some(isLiving);
  const to = service === undefined ? "dlx" : routedTo(service, slices, { drains: plan.drains, hasPods });
  const isAway = service !== undefined && to !== "resource";
  const isAsleepByUs = wasManaged(workload) && (workload.spec.replicas ?? 1) === 0;
  return {
    workload,
    plan,
    slices,
    routedTo: to,
    route: service === undefined ? undefined : routeOf(service, watched),
    wakeReplicas: wakeReplicasOf(workload, slices),
    isListed: plan.policy.enabled || plan.refusal !== undefined || isAway || isAsleepByUs || slices.length > 0,
    hasLeftovers: isAway || slices.length > 0 || hasOwnAnnotations(workload),
  };
}

/** By its slices, which nobody else writes, else by the Service itself. */
function routeOf({ metadata }: ServiceObject, watched: Pick<FactsSource, "slicesOf">): RouteRecord | undefined {
  const records = watched.slicesOf(metadata.namespace, metadata.name).map((slice) => readRoute(slice.metadata));
  return records.find((found) => found !== undefined) ?? readRoute(metadata);
}

/** What a resource depends on besides the facts. */
export interface ResourceView extends SchedulingPatience {
  /** Address at which DLXs listen for diverted ports. */
  readonly listenOn: string;
}

/** The contract's view of it. */
export function toResource(facts: WorkloadFacts, watched: Pick<FactsSource, "podsOf">, view: ResourceView): Resource {
  const { workload, plan, wakeReplicas, routedTo: to } = facts;
  const { metadata, spec, status } = workload;
  const desired = spec.replicas ?? 1;
  const isObserved = (status.observedGeneration ?? 0) >= (metadata.generation ?? 0);
  const pods = watched.podsOf(workload).filter(isLiving);
  const ready = readyOf(workload, pods, isObserved);
  const conditions = isObserved ? (status.conditions ?? []) : [];
  const failure = desired > 0 && ready === 0 ? failureOf(pods, conditions, view) : undefined;
  const { refusal } = plan;
  return {
    ref: refOf(workload),
    desired,
    ready,
    wakeReplicas,
    version: formatVersion(versionOf(metadata)),
    ports: portsOf(facts, view.listenOn),
    policy: plan.policy,
    createdAt: Date.parse(metadata.creationTimestamp),
    updatedAt: workload.updatedAt,
    ...(failure !== undefined && { failure }),
    ...(refusal !== undefined && { refusal }),
    ...(to !== undefined && { routedTo: to }),
  };
}

/**
 * The controller's count may come long after the Pods': its watches take up to a minute to come back where the API server
 * was away. Before it has acted on the count that is wanted, both are of the one before: none of those replicas may stay
 * where some are wanted, and all of them are still there where none is.
 */
function readyOf({ spec, status }: Workload, pods: readonly PodObject[], isObserved: boolean): number {
  const isStale = (spec.replicas ?? 1) > 0 && !isObserved;
  return isStale ? 0 : Math.max(status.readyReplicas ?? 0, pods.filter(isReady).length);
}

function portsOf({ plan, slices }: WorkloadFacts, listenOn: string): readonly ResourcePort[] {
  const host = listenOn.includes(":") ? `[${listenOn}]` : listenOn;
  return plan.ports.map(({ port, sliceName }) => {
    const numbers = slices.flatMap(({ ports }) =>
      (ports ?? []).filter(({ name = "" }) => name === sliceName).map((each) => each.port),
    );
    const [number] = plan.service === undefined ? [] : numbers;
    return number === undefined ? port : { ...port, listen: `${host}:${String(number)}` };
  });
}

/** As many as there are to be now; asleep, as many as there were, by the workload's own annotation or else by its slices. */
function wakeReplicasOf(workload: Workload, slices: readonly SliceObject[]): number {
  const desired = workload.spec.replicas ?? 1;
  if (desired >= 1) return desired;
  const kept = slices.map(({ metadata }) => readWakeReplicas(metadata)).find((count) => count !== undefined);
  return readWakeReplicas(workload.metadata) ?? kept ?? 1;
}
