import type { CallOptions, CatalogEntry, Resource, ResourceCatalog, Route, RouteSource } from "@dormouse/core";

/** The part of a catalogue entry that routes come from. */
export interface RoutedResource extends Pick<CatalogEntry, "ref" | "key"> {
  readonly resource: Pick<Resource, "policy">;
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

/** The routes of all policies of a catalogue; a new list after each change that touches one. */
export function fromPolicies(catalog: ResourceCatalog): RouteSource {
  return {
    watchRoutes: (options) => watchPolicies(catalog, options),
    [Symbol.asyncDispose]: async () => {},
  };
}

async function* watchPolicies(
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
    const routes = policyRoutes(entry);
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
