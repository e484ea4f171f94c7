import { backoffMs, type Clock, type Milliseconds, ScalerError } from "@dormouse/core";
import { isWritten, refuseOlder, repeatWrite } from "./conditional-write.ts";
import { listening, readyDlxs } from "./dlx-endpoints.ts";
import type { ServiceObject, SliceEndpoint, SliceObject, SlicePort } from "./objects.ts";
import type { RoutedPort } from "./ports-of.ts";
import { formatRoute, readRoute, readWakeReplicas, type RouteRecord } from "./route-record.ts";
import type { ServiceApi } from "./service-api.ts";
import { type AddressType, addressTypesOf, type SliceApi, sliceName } from "./slice-api.ts";
import type { SlicePorts } from "./slice-ports.ts";
import type { WatchedCluster } from "./watched-cluster.ts";

/** How long the DLXs may take to listen at ports that they have just been told of, in tries with a growing pause. */
const mostDials = 8;

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
  readonly clock: Clock;
  readonly watched: WatchedCluster;
  readonly slices: SliceApi;
  readonly services: ServiceApi;
  readonly ports: SlicePorts;
}

/** How a slice is brought up to date. */
interface RefreshChoice {
  readonly signal: AbortSignal | undefined;
  readonly dialsAll?: boolean;
  readonly podsServe?: boolean;
}

/** What a slice came to. */
interface RefreshedSlice {
  /** Every ready DLX is listed; else one does not listen yet. */
  readonly isComplete: boolean;
  /** At least one ready DLX is listed. */
  readonly isServed: boolean;
}

/** What a slice is to say. */
interface WantedSlice {
  readonly ports: readonly SlicePort[];
  readonly endpoints: readonly SliceEndpoint[];
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
        const ports = await this.#parts.ports.for(slice, order, signal);
        return { ports, endpoints: await this.#listening(order, addressType, ports, signal) };
      });
    }
    await this.#parts.services.route(order.service, order.record, order.drains, signal);
  }

  /** First half of the way back: the record says so, and the pods may be in the traffic again beside the DLXs. */
  async beginRestore(order: RouteOrder, signal: AbortSignal | undefined): Promise<void> {
    for (const addressType of addressTypesOf(order.service)) {
      await this.#change(order, addressType, signal, async ({ ports, endpoints }) => ({
        ports: ports ?? [],
        endpoints: endpoints ?? [],
      }));
    }
    await this.#parts.services.route(order.service, order.record, false, signal);
  }

  /** Second half: the DLXs leave the traffic. */
  async endRestore(order: RouteOrder, signal: AbortSignal | undefined): Promise<void> {
    for (const addressType of addressTypesOf(order.service)) {
      await this.#change(order, addressType, signal, async ({ ports }) => ({ ports: ports ?? [], endpoints: [] }));
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
    const { service, wakeReplicas } = order;
    const record = readRoute(service.metadata);
    const ports = await this.#parts.ports.for(undefined, order, signal);
    const endpoints = record?.to === "dlx" ? this.#ready(addressType) : [];
    const route = record !== undefined && { route: record };
    const content = { service, addressType, ports, endpoints, wakeReplicas, ...route };
    // Made by somebody else meanwhile is as good.
    await isWritten(this.#parts.slices.create(content, signal));
  }

  /**
   * Brings an existing slice up to date: the Service's ports, and the DLXs that are ready and listen where the traffic is
   * theirs.
   *
   * @param choice.dialsAll those that are listed already have to accept a connection, too
   * @param choice.podsServe pods take the traffic while no DLX is ready: those that are gone leave
   */
  async refreshSlice(
    slice: SliceObject,
    order: Omit<RouteOrder, "record">,
    choice: RefreshChoice,
  ): Promise<RefreshedSlice> {
    const { service, wakeReplicas } = order;
    const addressType: AddressType = slice.addressType === "IPv6" ? "IPv6" : "IPv4";
    const record = readRoute(slice.metadata);
    const { signal } = choice;
    const ports = await this.#parts.ports.for(slice, order, signal);
    const present = slice.endpoints ?? [];
    const { endpoints, ...state } =
      record?.to === "dlx"
        ? await this.#upToDate(present, addressType, ports, choice)
        : this.#leftOf(present, addressType);
    if (!isAsWanted(slice, { ports, endpoints })) {
      const route = record !== undefined && { route: record };
      const content = { service, addressType, ports, endpoints, wakeReplicas, ...route };
      await this.#parts.slices.replace(slice, content, signal);
    }
    return state;
  }

  /** Puts the extra key into the Service's selector or takes it out, as it was read; its record stays. */
  setKey(service: ServiceObject, isWanted: boolean, signal: AbortSignal | undefined): Promise<void> {
    return this.#parts.services.setKey(service, isWanted, signal);
  }

  /** Takes away from a Service and its slices all that was written here. */
  async forget(service: ServiceObject, signal: AbortSignal | undefined): Promise<void> {
    const { slices, services } = this.#parts;
    await services.forget(service, signal);
    const all = await slices.listOf(service, signal);
    for (const slice of all) if (isOurs(slice.metadata.name, service)) await slices.remove(slice, signal);
  }

  /** Reads, refuses where somebody newer was there, and writes what `content` makes of it; anew where it changed meanwhile. */
  async #change(
    order: RouteOrder,
    addressType: AddressType,
    signal: AbortSignal | undefined,
    content: (slice: SliceObject) => Promise<WantedSlice>,
  ): Promise<void> {
    const { slices, clock } = this.#parts;
    const { service, record, wakeReplicas } = order;
    const { namespace, name } = service.metadata;
    const ownName = sliceName(name, addressType);
    await repeatWrite(`EndpointSlice ${namespace}/${ownName}`, { clock, signal }, async () => {
      let slice = await slices.read(namespace, ownName, signal);
      if (slice === undefined && record.to === "resource") return true;
      if (slice === undefined) {
        await this.ensureSlice(order, addressType, signal);
        slice = await slices.read(namespace, ownName, signal);
        if (slice === undefined) return false;
      }
      refuseOlder(readRoute(slice.metadata), record);
      const wanted = await content(slice);
      if (isRecorded(slice, record, wakeReplicas) && isAsWanted(slice, wanted)) return true;
      return isWritten(slices.replace(slice, { service, addressType, ...wanted, route: record, wakeReplicas }, signal));
    });
  }

  /** The ready DLXs that listen at the ports. A slice that has just been made is not known to them for a moment. */
  async #listening(
    { service }: RouteOrder,
    addressType: AddressType,
    ports: readonly SlicePort[],
    signal: AbortSignal | undefined,
  ): Promise<readonly SliceEndpoint[]> {
    const { clock } = this.#parts;
    for (let tries = 0; tries < mostDials; tries += 1) {
      const found = await listening(this.#ready(addressType), numbersOf(ports), { clock, signal });
      if (found.length > 0) return found;
      await clock.sleep(backoffMs(tries, { firstMs: 50, longestMs: 500 }), signal);
    }
    const { name } = service.metadata;
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
    ports: readonly SlicePort[],
    { signal, dialsAll = false, podsServe = false }: RefreshChoice,
  ): Promise<RefreshedSlice & { readonly endpoints: readonly SliceEndpoint[] }> {
    const ready = this.#ready(addressType);
    // Nobody is ready: those that were are as good as none, and may be merely slow.
    if (ready.length === 0) return { endpoints: podsServe ? [] : present, isComplete: true, isServed: false };
    const known = new Set(dialsAll ? [] : present.map(addressOf));
    const come = ready.filter((endpoint) => !known.has(addressOf(endpoint)));
    const accepted = await listening(come, numbersOf(ports), { clock: this.#parts.clock, signal });
    const endpoints = ready.filter((endpoint) => known.has(addressOf(endpoint)) || accepted.includes(endpoint));
    const isServed = endpoints.length > 0;
    // A DLX that is gone still is better than an empty slice, for which the Service would refuse.
    return { endpoints: isServed ? endpoints : present, isComplete: endpoints.length === ready.length, isServed };
  }

  /** Of DLXs beside which the pods are in the traffic already those that are gone leave; none comes. */
  #leftOf(
    present: readonly SliceEndpoint[],
    addressType: AddressType,
  ): RefreshedSlice & { readonly endpoints: readonly SliceEndpoint[] } {
    const ready = new Set(this.#ready(addressType).map(addressOf));
    const left = present.filter((endpoint) => ready.has(addressOf(endpoint)));
    return { endpoints: left.length > 0 ? left : present, isComplete: true, isServed: left.length > 0 };
  }

  #ready(addressType: AddressType): readonly SliceEndpoint[] {
    return readyDlxs(this.#parts.watched.dlxSlices(), addressType);
  }
}

/** How long the pods may take to come into the traffic before a restore gives up, to be tried again. */
export const inTrafficWithinMs: Milliseconds = 8_000;

function isRecorded({ metadata }: SliceObject, record: RouteRecord, wakeReplicas: number): boolean {
  const found = readRoute(metadata);
  return (
    found !== undefined && formatRoute(found) === formatRoute(record) && readWakeReplicas(metadata) === wakeReplicas
  );
}

function isAsWanted({ ports, endpoints }: SliceObject, wanted: WantedSlice): boolean {
  return (
    textOf((ports ?? []).map(({ name = "", port }) => `${name}:${String(port)}`)) ===
      textOf(wanted.ports.map(({ name = "", port }) => `${name}:${String(port)}`)) &&
    textOf((endpoints ?? []).map(addressOf)) === textOf(wanted.endpoints.map(addressOf))
  );
}

function textOf(parts: readonly string[]): string {
  return parts.toSorted().join(" ");
}

function numbersOf(ports: readonly SlicePort[]): readonly number[] {
  return ports.flatMap(({ port }) => port ?? []);
}

function addressOf({ addresses }: SliceEndpoint): string {
  return addresses[0] ?? "";
}

function isOurs(name: string, { metadata }: ServiceObject): boolean {
  return name === sliceName(metadata.name, "IPv4") || name === sliceName(metadata.name, "IPv6");
}
