import { type CatalogEntry, formatRef, resolveDependency, type ResourceCatalog } from "@dormouse/core";
import { SleepEnd } from "./sleep-end.ts";

/** Every resource by the key of what it depends on; an entry that cannot be read depends on nothing. */
export function usersByDependency(entries: Iterable<CatalogEntry>): ReadonlyMap<string, readonly CatalogEntry[]> {
  const users = new Map<string, CatalogEntry[]>();
  for (const entry of entries) {
    for (const key of dependenciesOf(entry)) {
      const known = users.get(key);
      if (known === undefined) users.set(key, [entry]);
      else known.push(entry);
    }
  }
  return users;
}

function dependenciesOf({ ref, resource }: CatalogEntry): string[] {
  return resource.policy.dependsOn.flatMap((text) => {
    try {
      return [formatRef(resolveDependency(text, ref))];
    } catch {
      return [];
    }
  });
}

/** Whether a user, as the catalogue knows it, may need what it depends on. */
export function isAwakeUser({ resource, state }: Pick<CatalogEntry, "resource" | "state">): boolean {
  return resource.desired > 0 || state.kind !== "asleep";
}

/**
 * Reads every user of a resource from the platform. After the mark, so that a user whose wake was not seen here claims
 * the resource after the mark and voids the sleep.
 *
 * @throws SleepEnd `needed` or `users-unknown`
 */
export async function assertUnneeded(key: string, catalog: ResourceCatalog, signal: AbortSignal): Promise<void> {
  const users = usersByDependency(catalog.list()).get(key) ?? [];
  for (const user of users) await assertAsleep(user, catalog, signal);
}

async function assertAsleep(
  { key, ref, scaler }: CatalogEntry,
  catalog: ResourceCatalog,
  signal: AbortSignal,
): Promise<void> {
  const observe = catalog.beginObservation(scaler, ref);
  const resource = await scaler
    .getResource({ namespace: ref.namespace, name: ref.name }, { signal })
    .catch((cause: unknown) => {
      throw new SleepEnd("users-unknown", { about: key, cause });
    });
  if (resource === undefined) return;
  observe(resource);
  const seen = catalog.get(key);
  if (resource.desired > 0 || (seen !== undefined && isAwakeUser(seen))) throw new SleepEnd("needed", { about: key });
}
