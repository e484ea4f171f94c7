import { type LeaderElector, type PeerDiscovery, type PortPlugin, soleLeader } from "@dormouse/core";
import { Closing } from "./closing.ts";
import type { Foundation } from "./host-engine.ts";
import { PeerClients } from "../client/peer-clients.ts";
import { noPeers } from "./no-peers.ts";
import type { PluginOpener } from "./plugin-opener.ts";
import { staticPeers } from "./static-peers.ts";

/** The peer discoveries that need no package of their own. */
export const builtInPeers: Readonly<Record<string, PortPlugin<"peerDiscovery">>> = {
  static: staticPeers,
};

/** How the hosts of a cluster find each other. */
export interface Cluster extends AsyncDisposable {
  readonly peers: PeerDiscovery;
}

/**
 * Opens the configured peer discovery with this host's own client. An autoscaler may have none, where nothing can sleep.
 * @throws RefusedConfig where it is not configured well, or, for a DLX, does not say which entry is its own
 */
export async function openCluster(foundation: Foundation, opener: PluginOpener): Promise<Cluster> {
  const { loaded, credentials, logger, role } = foundation;
  const closing = new Closing(logger);
  try {
    const { serverName } = loaded.config.admin.tls ?? {};
    const clients = closing.add("peer clients", new PeerClients({ credentials, serverName }));
    const peers = await opener.openPeers(builtInPeers, (address) => clients.connect(address));
    if (peers === undefined) {
      if (role !== "autoscaler") throw new TypeError("a DLX that runs apart has a peer discovery");
      logger.info({}, "no peer discovery is configured (cluster.peers): nothing is put to sleep");
      return { peers: noPeers, [Symbol.asyncDispose]: () => closing[Symbol.asyncDispose]() };
    }
    closing.add("peer discovery", peers);
    if (role === "dlx" && loaded.config.cluster.peers?.use === "static" && peers.self === undefined) {
      const mend = "give the id of this DLX, for example by --set cluster.peers.options.self=a";
      const problem = "is missing, and without it this DLX does not know which entry is its own";
      throw loaded.refuseIssues([{ place: "cluster.peers.options.self", problem, mend }]);
    }
    return { peers, [Symbol.asyncDispose]: () => closing[Symbol.asyncDispose]() };
  } catch (error) {
    await closing[Symbol.asyncDispose]();
    throw error;
  }
}

/** The configured leader elector, else one for an autoscaler that is alone. */
export async function openElector({ logger }: Foundation, opener: PluginOpener): Promise<LeaderElector> {
  const elector = await opener.openLeader();
  if (elector === undefined) {
    const message = "no leader elector is configured (cluster.leader): this must be the only autoscaler there is";
    logger.warn({}, message);
  }
  return elector ?? soleLeader;
}
