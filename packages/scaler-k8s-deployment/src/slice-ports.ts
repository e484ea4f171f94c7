import type { ServiceObject, SliceObject, SlicePort } from "./objects.ts";
import { type PortBook, type PortUser, portUser } from "./port-book.ts";
import type { RoutedPort } from "./ports-of.ts";
import { serviceNameLabel } from "./names.ts";
import type { WatchedCluster } from "./watched-cluster.ts";

/** What a slice's ports are found for. */
export interface PortOrder {
  readonly service: ServiceObject;
  readonly ports: readonly RoutedPort[];
}

/** The DLXs' ports that the slices of Services list, each as the book has it. */
export class SlicePorts {
  readonly #watched: WatchedCluster;
  readonly #book: PortBook;

  constructor(watched: WatchedCluster, book: PortBook) {
    this.#watched = watched;
    this.#book = book;
  }

  /**
   * The ports that a slice of this Service is to have: its own array where they are right already, else as handed out.
   * @throws ScalerError `SCALER_QUOTA` where the range has none left
   */
  async for(
    slice: SliceObject | undefined,
    order: PortOrder,
    signal: AbortSignal | undefined,
  ): Promise<readonly SlicePort[]> {
    if (slice !== undefined && this.#isRight(slice, order)) return slice.ports ?? [];
    const names = namesOf(order);
    const users = names.map((name) => portUser(order.service.metadata, name));
    const handed = await this.#book.portsFor(users, this.#inUse(), signal);
    return names.flatMap((name, index) => {
      const user = users[index];
      const number = user === undefined ? undefined : handed.get(user);
      return number === undefined ? [] : [{ name, port: number, protocol: "TCP" }];
    });
  }

  /** Its ports are just those of the Service that a DLX can take requests by, with the numbers that the book has for them. */
  #isRight({ ports }: SliceObject, order: PortOrder): boolean {
    const has = ports ?? [];
    const names = namesOf(order);
    return (
      has.length === names.length &&
      names.every((name) => {
        const port = has.find((each) => (each.name ?? "") === name)?.port;
        return port !== undefined && this.#watched.bookedUserOf(port) === portUser(order.service.metadata, name);
      })
    );
  }

  /** Which numbers the slices of the whole cluster list, and for whom. */
  #inUse(): ReadonlyMap<number, PortUser> {
    const used = new Map<number, PortUser>();
    for (const { metadata, ports } of this.#watched.slices()) {
      const service = { namespace: metadata.namespace, name: metadata.labels?.[serviceNameLabel] ?? "" };
      for (const { name = "", port } of ports ?? []) if (port !== undefined) used.set(port, portUser(service, name));
    }
    return used;
  }
}

/** A DLX cannot hold what is not HTTP/1.1. */
function namesOf({ ports }: PortOrder): readonly string[] {
  return ports.flatMap(({ port, sliceName }) => (port.protocol === "http" ? [sliceName] : []));
}
