import type { Service, Workload } from "./workload-objects.ts";

/** An enabled workload and the one Service whose traffic it gets. */
export interface Pair {
  readonly workload: Workload;
  readonly service: Service;
}

/**
 * Pairs enabled workloads with their Services: the one that is named, else the only one whose selector matches the pods,
 * headless ones passed over. Left out are pairs that nobody may divert: several Services, or a Service whose selector
 * matches the pods of several workloads, enabled or not.
 */
export function pairServices(workloads: readonly Workload[], services: readonly Service[]): readonly Pair[] {
  const index = indexOf(services);
  const shared = sharedServices(workloads, index);
  return workloads.flatMap((workload) => {
    const service = workload.enabled ? serviceOf(workload, index) : undefined;
    return service === undefined || shared.has(service) ? [] : [{ workload, service }];
  });
}

interface ServiceIndex {
  readonly byName: ReadonlyMap<string, Service>;
  /** By namespace and the first pair of the selector: a few candidates for each label of a pod. */
  readonly byPair: ReadonlyMap<string, readonly Service[]>;
}

function indexOf(services: readonly Service[]): ServiceIndex {
  const byPair = new Map<string, Service[]>();
  for (const service of services) {
    const [first] = service.selector;
    if (first === undefined) continue;
    const key = pairKey(service.namespace, ...first);
    const others = byPair.get(key);
    if (others === undefined) byPair.set(key, [service]);
    else others.push(service);
  }
  return { byName: new Map(services.map((service) => [`${service.namespace}/${service.name}`, service])), byPair };
}

function pairKey(namespace: string, key: string, value: string): string {
  return `${namespace}\0${key}\0${value}`;
}

function matching({ namespace, labels }: Workload, { byPair }: ServiceIndex): readonly Service[] {
  return Object.entries(labels)
    .flatMap(([key, value]) => byPair.get(pairKey(namespace, key, value)) ?? [])
    .filter(({ selector }) => selector.every(([key, value]) => labels[key] === value));
}

function serviceOf(workload: Workload, index: ServiceIndex): Service | undefined {
  const candidates = matching(workload, index);
  if (workload.service !== undefined) {
    const named = index.byName.get(`${workload.namespace}/${workload.service}`);
    return named !== undefined && candidates.includes(named) && !named.isHeadless ? named : undefined;
  }
  const [first, second] = candidates.filter(({ isHeadless }) => !isHeadless);
  return second === undefined ? first : undefined;
}

function sharedServices(workloads: readonly Workload[], index: ServiceIndex): ReadonlySet<Service> {
  const taken = new Set<Service>();
  const shared = new Set<Service>();
  for (const workload of workloads) {
    for (const service of matching(workload, index)) {
      if (taken.has(service)) shared.add(service);
      taken.add(service);
    }
  }
  return shared;
}
