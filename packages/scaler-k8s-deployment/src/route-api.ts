import {
  backoffMs,
  type Clock,
  isScalerError,
  type Milliseconds,
  type RouteDirection,
  ScalerError,
} from "@dormouse/core";
import { apiPath, type Cluster } from "@dormouse/kubernetes";
import { listening, readyDlxs } from "./dlx-endpoints.ts";
import { divertedKey, divertedValue, routeAnnotation } from "./names.ts";
import type { ServiceObject, SliceEndpoint, SliceObject, SlicePort } from "./objects.ts";
import { type PortBook, portUser } from "./port-book.ts";
import { formatRoute, isNewer, readRoute, type RouteRecord } from "./route-record.ts";
import { type AddressType, addressTypesOf, type SliceApi, sliceName } from "./slice-api.ts";
import type { WatchedCluster } from "./watched-cluster.ts";
import { mergePatch } from "./workload-api.ts";
import type { RoutedPort } from "./ports-of.ts";

/** How often a conditional write is begun anew. */
const mostTries = 6;

/** Where a Service's traffic is to go, and by whose order. */
export interface RouteOrder {
  readonly service: ServiceObject;
  readonly ports: readonly RoutedPort[];
  readonly record: RouteRecord;
  /** The Service's selector gets or has the extra key. */
  readonly drains: boolean;
  /** Kept on the slice in case somebody takes the workload's own annotation away. */
  readonly wakeReplicas: number;
}

/** What routes are read and written through. */
export interface RouteParts {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly watched: WatchedCluster;
  readonly slices: SliceApi;
  readonly book: PortBook;
}

/**
 * The writes that send a Service's traffic somewhere: to its extra slices and to the Service itself, each conditional on
 * the object that was read, and none over the record of a newer version.
 */
export class RouteApi {
  readonly #parts: RouteParts;

  constructor(parts: RouteParts) {
    this.#parts = parts;
  }

  /** @throws ScalerError `SCALER_CONFLICT` where a newer version has routed */
  async refuseOlder({ service, record }: RouteOrder, signal: AbortSignal | undefined): Promise<void> {
    const { namespace, name } = service.metadata;
    for (const addressType of addressTypesOf(service)) {
      const slice = await this.#parts.slices.read(namespace, sliceName(name, addressType), signal);
      if (slice !== undefined) refuseOlder(readRoute(slice.metadata), record);
    }
  }

  /** Sends traffic to the DLXs: first they are in it, then the pods leave. */
  async divert(order: RouteOrder, signal: AbortSignal | undefined): Promise<void> {
    for (const addressType of addressTypesOf(order.service)) {
      await this.#change(order, addressType, signal, async (slice) => {
        const endpoints = await this.#listening(order, addressType, slice, signal);
        return { endpoints };
      });
    }
    await this.#changeService(order, order.drains, signal);
  }

  /** First half of the way back: the record says so, and the pods may be in the traffic again beside the DLXs. */
  async beginRestore(order: RouteOrder, signal: AbortSignal | undefined): Promise<void> {
    for (const addressType of addressTypesOf(order.service)) {
      await this.#change(order, addressType, signal, async (slice) => ({ endpoints: slice.endpoints ?? [] }));
    }
    await this.#changeService(order, false, signal);
  }

  /** Second half: the DLXs leave the traffic. */
  async endRestore(order: RouteOrder, signal: AbortSignal | undefined): Promise<void> {
    for (const addressType of addressTypesOf(order.service)) {
      await this.#change(order, addressType, signal, async () => ({ endpoints: [] }));
    }
  }

  /** Pods that are in the traffic by the Service's own slices, by uid. */
  async podsInTraffic(service: ServiceObject, signal: AbortSignal | undefined): Promise<ReadonlySet<string>> {
    const slices = await this.#parts.slices.listOf(service, signal);
    const own = slices.filter(({ metadata }) => !isOurs(metadata.name, service));
    const ready = own.flatMap(({ endpoints }) =>
      (endpoints ?? []).filter(({ conditions }) => conditions?.ready !== false),
    );
    return new Set(ready.flatMap(({ targetRef }) => targetRef?.uid ?? []));
  }

  /** Makes a slice that is not there yet: with its ports, and with the DLXs where the Service's record says that its traffic is theirs. */
  async ensureSlice(
    order: Omit<RouteOrder, "record">,
    addressType: AddressType,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { slices } = this.#parts;
    const { service, wakeReplicas } = order;
    const record = readRoute(service.metadata);
    const ports = await this.#portsOf(order, signal);
    const endpoints = record?.to === "dlx" ? this.#ready(addressType) : [];
    const content = {
      service,
      addressType,
      ports,
      endpoints,
      wakeReplicas,
      ...(record !== undefined && { route: record }),
    };
    await slices.create(content, signal).catch((error: unknown) => {
      if (!(isScalerError(error) && error.code === "SCALER_CONFLICT")) throw error;
    });
  }

  /**
   * Brings an existing slice up to date: the Service's ports, and the DLXs that are ready and listen where the traffic is
   * theirs. Whether a ready DLX still has to be waited for.
   */
  async refreshSlice(
    slice: SliceObject,
    order: Omit<RouteOrder, "record">,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly isComplete: boolean }> {
    const { slices } = this.#parts;
    const { service, wakeReplicas } = order;
    const addressType: AddressType = slice.addressType === "IPv6" ? "IPv6" : "IPv4";
    const record = readRoute(slice.metadata);
    const ports = hasPortsOf(slice, order.ports) ? (slice.ports ?? []) : await this.#portsOf(order, signal);
    const present = slice.endpoints ?? [];
    const { endpoints, isComplete } =
      record?.to === "dlx"
        ? await this.#upToDate(present, addressType, numbersOf(ports), signal)
        : { endpoints: present, isComplete: true };
    if (ports === slice.ports && isSame(endpoints, present)) return { isComplete };
    await slices.replace(
      slice,
      { service, addressType, ports, endpoints, wakeReplicas, ...(record !== undefined && { route: record }) },
      signal,
    );
    return { isComplete };
  }

  /** Puts the extra key into the Service's selector or takes it out, as it was read; its record stays. */
  async setKey(
    { metadata: { namespace, name, resourceVersion } }: ServiceObject,
    isWanted: boolean,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const body = {
      metadata: { resourceVersion },
      spec: { selector: { [divertedKey]: isWanted ? divertedValue : null } },
    };
    await this.#parts.cluster.request("PATCH", servicePath(namespace, name), { ...mergePatch, body, signal });
  }

  /** Takes away from a Service and its slices all that was written here. */
  async forget(service: ServiceObject, signal: AbortSignal | undefined): Promise<void> {
    const { cluster, slices } = this.#parts;
    const { namespace, name } = service.metadata;
    const body = {
      metadata: { annotations: { [routeAnnotation]: null } },
      spec: { selector: { [divertedKey]: null } },
    };
    await cluster.request("PATCH", servicePath(namespace, name), { ...mergePatch, body, signal });
    const all = await slices.listOf(service, signal);
    for (const slice of all) if (isOurs(slice.metadata.name, service)) await slices.remove(slice, signal);
  }

  /** Reads, refuses where somebody newer was there, and writes what `content` makes of it; anew where it changed meanwhile. */
  async #change(
    order: RouteOrder,
    addressType: AddressType,
    signal: AbortSignal | undefined,
    content: (slice: SliceObject) => Promise<{ readonly endpoints: readonly SliceEndpoint[] }>,
  ): Promise<void> {
    const { slices, clock } = this.#parts;
    const { service, record, wakeReplicas } = order;
    const { namespace, name } = service.metadata;
    for (let tries = 0; tries < mostTries; tries += 1) {
      const slice = await slices.read(namespace, sliceName(name, addressType), signal);
      if (slice === undefined && record.to === "resource") return;
      if (slice === undefined) {
        await this.ensureSlice(order, addressType, signal);
        continue;
      }
      refuseOlder(readRoute(slice.metadata), record);
      const { endpoints } = await content(slice);
      const ports = hasPortsOf(slice, order.ports) ? (slice.ports ?? []) : await this.#portsOf(order, signal);
      if (
        await isWritten(
          slices.replace(slice, { service, addressType, ports, endpoints, route: record, wakeReplicas }, signal),
        )
      )
        return;
      await clock.sleep(backoffMs(tries, { firstMs: 5, longestMs: 200 }), signal);
    }
    throw busy(`EndpointSlice ${namespace}/${sliceName(name, addressType)}`);
  }

  async #changeService(
    { service, record }: RouteOrder,
    hasKey: boolean,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { cluster, clock } = this.#parts;
    const { namespace, name } = service.metadata;
    for (let tries = 0; tries < mostTries; tries += 1) {
      const { metadata, spec } = await cluster.request<ServiceObject>("GET", servicePath(namespace, name), { signal });
      refuseOlder(readRoute(metadata), record);
      const isAsWanted =
        (spec.selector?.[divertedKey] !== undefined) === hasKey &&
        metadata.annotations?.[routeAnnotation] === formatRoute(record);
      if (isAsWanted) return;
      const { resourceVersion } = metadata;
      const body = {
        metadata: { resourceVersion, annotations: { [routeAnnotation]: formatRoute(record) } },
        spec: { selector: { [divertedKey]: hasKey ? divertedValue : null } },
      };
      if (await isWritten(cluster.request("PATCH", servicePath(namespace, name), { ...mergePatch, body, signal })))
        return;
      await clock.sleep(backoffMs(tries, { firstMs: 5, longestMs: 200 }), signal);
    }
    throw busy(`Service ${namespace}/${name}`);
  }

  /** The ready DLXs that listen at the slice's ports. A slice that has just been made is not known to them for a moment. */
  async #listening(
    order: RouteOrder,
    addressType: AddressType,
    slice: SliceObject,
    signal: AbortSignal | undefined,
  ): Promise<readonly SliceEndpoint[]> {
    const { clock } = this.#parts;
    const ports = hasPortsOf(slice, order.ports) ? (slice.ports ?? []) : await this.#portsOf(order, signal);
    for (let tries = 0; tries < 8; tries += 1) {
      const ready = this.#ready(addressType);
      const found = await listening(ready, numbersOf(ports), { clock, signal });
      if (found.length > 0) return found;
      await clock.sleep(backoffMs(tries, { firstMs: 50, longestMs: 500 }), signal);
    }
    const { name } = order.service.metadata;
    const count = this.#ready(addressType).length;
    const problem =
      count === 0
        ? `there is no ready DLX with an ${addressType} address`
        : `none of ${String(count)} ready DLXs listens at ${numbersOf(ports).join(", ")}`;
    throw new ScalerError("SCALER_UNAVAILABLE", `${problem}, so the traffic of Service ${name} stays where it is`);
  }

  async #upToDate(
    present: readonly SliceEndpoint[],
    addressType: AddressType,
    ports: readonly number[],
    signal: AbortSignal | undefined,
  ) {
    const ready = this.#ready(addressType);
    // Nobody is ready: those that were are as good as none, and may be merely slow.
    if (ready.length === 0) return { endpoints: present, isComplete: true };
    const known = new Set(present.map(({ addresses }) => addresses[0]));
    const stay = ready.filter(({ addresses }) => known.has(addresses[0]));
    const come = ready.filter(({ addresses }) => !known.has(addresses[0]));
    const accepted = await listening(come, ports, { clock: this.#parts.clock, signal });
    const endpoints = ready.filter((endpoint) => stay.includes(endpoint) || accepted.includes(endpoint));
    // A DLX that is gone still is better than an empty slice, for which the Service would refuse.
    return { endpoints: endpoints.length > 0 ? endpoints : present, isComplete: endpoints.length === ready.length };
  }

  #ready(addressType: AddressType): readonly SliceEndpoint[] {
    return readyDlxs(this.#parts.watched.dlxSlices(), addressType);
  }

  async #portsOf(
    { service, ports }: Pick<RouteOrder, "service" | "ports">,
    signal: AbortSignal | undefined,
  ): Promise<readonly SlicePort[]> {
    const { book, watched } = this.#parts;
    const users = ports.filter(isHttp).map(({ sliceName: port }) => portUser(service.metadata, port));
    const used = new Set(
      watched
        .slices()
        .flatMap(({ metadata: { namespace, labels }, ports: taken }) =>
          (taken ?? []).map(({ name = "" }) =>
            portUser({ namespace, name: labels?.["kubernetes.io/service-name"] ?? "" }, name),
          ),
        ),
    );
    const handed = await book.portsFor(users, (user) => used.has(user as `${string}/${string}/${string}`), signal);
    return ports.filter(isHttp).flatMap(({ sliceName: port }, index) => {
      const user = users[index];
      const number = user === undefined ? undefined : handed.get(user);
      return number === undefined ? [] : [{ name: port, port: number, protocol: "TCP" }];
    });
  }
}

/** Whether the slice has just the ports that a DLX can take requests by. */
export function hasPortsOf({ ports }: SliceObject, wanted: readonly RoutedPort[]): boolean {
  const has = (ports ?? []).map(({ name = "" }) => name).toSorted();
  const wants = wanted
    .filter(isHttp)
    .map(({ sliceName: name }) => name)
    .toSorted();
  return has.length === wants.length && has.every((name, index) => name === wants[index]);
}

/** How long the pods may take to come into the traffic before a restore gives up, to be tried again. */
export const inTrafficWithinMs: Milliseconds = 8_000;

/** The direction that the present objects amount to; undefined: something between, or nothing known. */
export function routedTo(
  service: ServiceObject,
  slices: readonly SliceObject[],
  { drains, hasPods }: { readonly drains: boolean; readonly hasPods: boolean },
): RouteDirection | undefined {
  const hasKey = service.spec.selector?.[divertedKey] !== undefined;
  const all = addressTypesOf(service).map((addressType) => slices.find((slice) => slice.addressType === addressType));
  const isFilled = (slice: SliceObject | undefined): boolean =>
    slice !== undefined && (slice.endpoints ?? []).length > 0;
  if (all.every((slice) => isFilled(slice) && slice !== undefined && readRoute(slice.metadata)?.to === "dlx"))
    return hasKey || !drains || !hasPods ? "dlx" : undefined;
  return all.every((slice) => !isFilled(slice)) && !hasKey ? "resource" : undefined;
}

function isHttp({ port }: RoutedPort): boolean {
  return port.protocol !== "tcp";
}

function numbersOf(ports: readonly SlicePort[]): readonly number[] {
  return ports.flatMap(({ port }) => port ?? []);
}

function isSame(one: readonly SliceEndpoint[], other: readonly SliceEndpoint[]): boolean {
  const text = (endpoints: readonly SliceEndpoint[]): string =>
    endpoints
      .map(({ addresses }) => addresses.join())
      .toSorted()
      .join(" ");
  return text(one) === text(other);
}

function isOurs(name: string, { metadata }: ServiceObject): boolean {
  return name === sliceName(metadata.name, "IPv4") || name === sliceName(metadata.name, "IPv6");
}

function servicePath(namespace: string, name: string): string {
  return apiPath("v1", "services", { namespace, name });
}

function refuseOlder(found: RouteRecord | undefined, ordered: RouteRecord): void {
  if (isNewer(found, ordered))
    throw new ScalerError(
      "SCALER_CONFLICT",
      `a newer version (epoch ${String(found?.epoch)}) owns the route, not epoch ${String(ordered.epoch)}`,
    );
}

/** False: the object had changed. */
async function isWritten(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (isScalerError(error) && error.code === "SCALER_CONFLICT") return false;
    throw error;
  }
}

function busy(what: string): ScalerError {
  return new ScalerError(
    "SCALER_UNAVAILABLE",
    `${what} changed all the time; ${String(mostTries)} writes were refused`,
  );
}
