import type { Policy } from "@dormouse/core";
import type { Dlx } from "@dormouse/dlx";
import type { Entrance } from "../admin/why-report.ts";

/** Each way for a request to get to a resource by its policy: its own listeners first, then its hosts on the shared ones. */
export function entrancesOf(key: string, policy: Policy, addresses: Dlx["addresses"]): readonly Entrance[] {
  const own = addresses.filter(({ resource }) => resource === key).map(({ listen }) => ({ listen }));
  const shared = addresses.filter(({ resource }) => resource === undefined);
  return [
    ...own,
    ...shared.flatMap(({ listen }) => conditionsOf(policy).map((condition) => ({ listen, ...condition }))),
  ];
}

/** What a request on a shared listener has to be like; empty where none of them leads there. */
function conditionsOf({ hosts, pathPrefix, headers }: Policy): readonly Omit<Entrance, "listen">[] {
  const hasHeaders = Object.keys(headers).length > 0;
  const rest = { ...(pathPrefix !== undefined && { path: pathPrefix }), ...(hasHeaders && { headers }) };
  if (hosts.length > 0) return hosts.map((host) => ({ host, ...rest }));
  return pathPrefix === undefined && !hasHeaders ? [] : [rest];
}
