import type { PluginConfig } from "./config-schema.ts";
import { pluginId } from "./plugin-id.ts";
import type { Policy } from "./policy.ts";

/** Where a resource's own traffic goes while it is awake. */
export type RoutingMode = "direct" | "always";

/**
 * Whether a metrics source is configured and sees traffic that does not pass a DLX.
 *
 * @param source id; left out: the default of idle rules, which is the first that is configured
 */
export type SeesDirect = (source: string | undefined) => boolean;

/** What routing rests on besides the policy. */
export interface RoutingFacts {
  /** The scaler can route. */
  readonly routes: boolean;
  readonly seesDirect: SeesDirect;
}

/**
 * Whether warm traffic leaves the DLX: one function for DLX and autoscaler, which would undo each other's routes
 * otherwise. `auto` is direct where the scaler can route and some rule's source is configured and sees traffic that does
 * not pass a DLX. What does not opt in is nobody's to keep from its own traffic: direct. A source that is merely out of reach changes nothing here: its rules are unknown then, which keeps in
 * either mode, and routes do not flap with it.
 */
export function decideRouting(
  policy: Pick<Policy, "enabled" | "routing" | "idleRules">,
  { routes, seesDirect }: RoutingFacts,
): RoutingMode {
  if (!routes) return "always";
  if (!policy.enabled || policy.routing === "direct") return "direct";
  if (policy.routing === "always") return "always";
  return policy.idleRules.some(({ source }) => seesDirect(source)) ? "direct" : "always";
}

/**
 * What the configuration alone tells of its metrics sources, so that hosts that open none decide alike: every source
 * sees direct traffic but the built-in `dlx`.
 *
 * @param metrics as they are configured now
 */
export function seesDirectBy(metrics: () => readonly PluginConfig[]): SeesDirect {
  return (source) => {
    const configured = metrics();
    const found = source === undefined ? configured[0] : configured.find((each) => pluginId(each) === source);
    return found !== undefined && found.use !== "dlx";
  };
}
