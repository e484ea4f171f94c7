import { createDlxSource, prometheusSource } from "@dormouse/autoscaler";
import type { PeerDiscovery, PortPlugin } from "@dormouse/core";

/** The metrics sources that need no package of their own. */
export function builtInSources(peers: PeerDiscovery): Readonly<Record<string, PortPlugin<"metricsSource">>> {
  return { dlx: createDlxSource(peers), prometheus: prometheusSource };
}
