import { type ConfigIssue, formatRef, type Policy } from "@dormouse/core";
import type { PlacedResource } from "./placed-resource.ts";

/** Listeners that belong to the host itself, by the place of their key. */
export type HostListeners = ReadonlyMap<string, readonly string[]>;

/** Two resources that claim the same route or dedicated listener, and listeners that the host needs itself. */
export function findRouteConflicts(
  resources: readonly PlacedResource[],
  host: HostListeners = new Map(),
): ConfigIssue[] {
  const owners = new Map<string, string>();
  for (const [place, addresses] of host) for (const address of addresses) owners.set(`listen ${address}`, place);
  return resources.flatMap((resource) =>
    claimsOf(resource.policy).flatMap(({ key, claim, words }): ConfigIssue[] => {
      const owner = owners.get(claim);
      const name = formatRef(resource.ref);
      if (owner === undefined) owners.set(claim, name);
      if (owner === undefined || owner === name) return [];
      const place = resource.place === undefined ? name : `${resource.place}.policy.${key}`;
      return [
        {
          place,
          problem: `${words} leads to ${owner} already`,
          mend: "give one of them another host, pathPrefix, header or listener",
        },
      ];
    }),
  );
}

interface Claim {
  readonly key: "hosts" | "pathPrefix" | "headers" | "listen";
  /** Equal for two routes that match the same requests. */
  readonly claim: string;
  /** For messages. */
  readonly words: string;
}

function claimsOf(policy: Policy): Claim[] {
  const listeners = policy.listen
    .filter((address) => !address.endsWith(":0"))
    .map((address): Claim => ({ key: "listen", claim: `listen ${address}`, words: `the listener ${address}` }));
  return [...listeners, ...sharedClaims(policy)];
}

function sharedClaims({ hosts, pathPrefix, headers }: Policy): Claim[] {
  const names = Object.keys(headers).toSorted();
  if (hosts.length === 0 && pathPrefix === undefined && names.length === 0) return [];
  const path = (pathPrefix ?? "/").replace(/(?<=.)\/+$/, "");
  const conditions = names.map((name) => `${name}: ${String(headers[name])}`);
  const key = hosts.length > 0 ? "hosts" : pathPrefix === undefined ? "headers" : "pathPrefix";
  return (hosts.length === 0 ? ["*"] : hosts).map((host) => ({
    key,
    claim: JSON.stringify([host, path, conditions]),
    words: `the route ${host === "*" ? "any host" : host}${path === "/" ? "" : ` ${path}`}${conditions.length === 0 ? "" : ` with ${conditions.join(", ")}`}`,
  }));
}
