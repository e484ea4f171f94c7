import type { CallOptions, CatalogEntry, Resource, ResourceCatalog, Route, RouteSource } from "@dormouse/core";

/** The part of a catalogue entry that routes come from. */
export interface RoutedResource extends Pick<CatalogEntry, "ref" | "key"> {
  readonly resource: Pick<Resource, "policy">;
}

/** An entry with what its platform says of its ports. */
interface DivertedResource extends Pick<CatalogEntry, "ref" | "key"> {
  readonly resource: Pick<Resource, "policy" | "ports">;
}

/** The routes that a resource's own policy asks for: each of its hosts, else its path and headers alone, and its listeners. */
export function policyRoutes(entry: RoutedResource): readonly Route[] {
  const { enabled, hosts, pathPrefix, headers, port, listen } = entry.resource.policy;
  if (!enabled) return [];
  const origin = `policy of ${entry.key}`;
  const to = { ref: entry.ref, origin, ...(port !== undefined && { port }) };
  const conditions = {
    ...(pathPrefix !== undefined && { pathPrefix }),
    ...(Object.keys(headers).length > 0 && { headers: lowerCaseNames(headers) }),
  };
  const shared = hosts.length > 0 ? hosts.map((host) => ({ ...to, host, ...conditions })) : [{ ...to, ...conditions }];
  const isShared = hosts.length > 0 || Object.keys(conditions).length > 0;
  return [...(isShared ? shared : []), ...listen.map((address) => ({ ...to, listen: address }))];
}

/**
 * The listeners that a resource's platform may send its own traffic to, one for each such port. They do not ask whether
 * the policy opts in: what is sent there is somebody's request, also while a resource is on its way out.
 */
export function portRoutes({ ref, key, resource }: DivertedResource): readonly Route[] {
  return resource.ports.flatMap(({ name, listen }) =>
    listen === undefined ? [] : [{ ref, port: name, listen, origin: `port ${name} of ${key}` }],
  );
}

/** The routes of all resources of a catalogue, by policy and by port; a new list after each change that touches one. */
export function fromResources(catalog: ResourceCatalog): RouteSource {
  return {
    watchRoutes: (options) => watchResources(catalog, options),
    [Symbol.asyncDispose]: async () => {},
  };
}

async function* watchResources(
  catalog: ResourceCatalog,
  { signal }: CallOptions = {},
): AsyncGenerator<readonly Route[]> {
  const known = new KnownRoutes(catalog.list());
  const subscription = catalog.subscribe((change) => {
    if (change.kind === "set") known.set(change.entry);
    else if (change.kind === "gone") known.remove(change.key);
  });
  try {
    while (await known.changed(signal)) yield known.take();
  } finally {
    subscription[Symbol.dispose]();
  }
}

/** Routes by resource, and whether they changed since they were taken: a mere change of status does not. */
class KnownRoutes {
  readonly #byKey = new Map<string, { readonly text: string; readonly routes: readonly Route[] }>();
  #isTaken = false;
  #wakeUp: () => void = () => {};

  constructor(entries: readonly CatalogEntry[]) {
    for (const entry of entries) this.set(entry);
  }

  set(entry: CatalogEntry): void {
    const routes = [...policyRoutes(entry), ...portRoutes(entry)];
    const text = JSON.stringify(routes);
    if (this.#byKey.get(entry.key)?.text === text) return;
    this.#byKey.set(entry.key, { text, routes });
    this.#isTaken = false;
    this.#wakeUp();
  }

  remove(key: string): void {
    if (!this.#byKey.delete(key)) return;
    this.#isTaken = false;
    this.#wakeUp();
  }

  take(): readonly Route[] {
    this.#isTaken = true;
    return [...this.#byKey.values()].flatMap(({ routes }) => routes);
  }

  /** Resolves once there is something to take; false once the signal aborts. */
  async changed(signal: AbortSignal | undefined): Promise<boolean> {
    if (this.#isTaken && signal?.aborted !== true) {
      await new Promise<void>((resolve) => {
        this.#wakeUp = () => {
          signal?.removeEventListener("abort", this.#wakeUp);
          resolve();
        };
        signal?.addEventListener("abort", this.#wakeUp, { once: true });
      });
    }
    return signal?.aborted !== true;
  }
}

function lowerCaseNames(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
