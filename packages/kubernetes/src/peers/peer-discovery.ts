import { definePort, type PortPlugin } from "@dormouse/core";
import { openCluster } from "../cluster/open-cluster.ts";
import { type PeerDiscoveryOptions, peerDiscoveryOptionsSchema } from "./peer-discovery-options.ts";
import { PodPeers } from "./pod-peers.ts";

/** The peer discovery `kubernetes`: the DLXs are the Pods that a label selector names. */
export const peerDiscovery: PortPlugin<"peerDiscovery", PeerDiscoveryOptions> = definePort("peerDiscovery", {
  name: "kubernetes",
  options: peerDiscoveryOptionsSchema,
  create: async (options, { clock, logger, connect }) => {
    const cluster = await openCluster({ kubeconfig: options.kubeconfig, context: options.context, clock, logger });
    return new PodPeers(cluster, { ...options, namespace: options.namespace ?? cluster.namespace }, connect);
  },
});
