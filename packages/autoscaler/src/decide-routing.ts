import type { MetricsSource, Policy } from "@dormouse/core";
import type { RoutingMode } from "./observation.ts";

/**
 * Whether warm traffic leaves the DLX. `auto` is direct where the scaler can route and some rule's source is configured and
 * sees traffic that does not pass a DLX. A source that is merely out of reach changes nothing here: its rules are
 * unknown then, which keeps in either mode, and routes do not flap with it.
 */
export function decideRouting(
  policy: Pick<Policy, "routing" | "idleRules">,
  routes: boolean,
  sources: ReadonlyMap<string, Pick<MetricsSource, "dlxOnly">>,
): RoutingMode {
  if (!routes || policy.routing === "always") return "always";
  if (policy.routing === "direct") return "direct";
  const [first] = sources.keys();
  const seesDirect = policy.idleRules.some(({ source = first }) => {
    const found = source === undefined ? undefined : sources.get(source);
    return found !== undefined && found.dlxOnly !== true;
  });
  return seesDirect ? "direct" : "always";
}
