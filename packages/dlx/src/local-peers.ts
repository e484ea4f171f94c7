import type { DlxPeer, PeerDiscovery } from "@dormouse/core";

/** Peer discovery for one host alone: its own DLX, reached by plain calls. */
export function localPeers(dlx: { readonly peer: DlxPeer }): PeerDiscovery {
  return {
    listPeers: async () => [dlx.peer],
    [Symbol.asyncDispose]: async () => {},
  };
}
