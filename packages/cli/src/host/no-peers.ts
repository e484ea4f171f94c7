import type { PeerDiscovery } from "@dormouse/core";

/** There is no DLX that anybody knows of, so nothing is ever idle. */
export const noPeers: PeerDiscovery = { listPeers: async () => [], [Symbol.asyncDispose]: async () => {} };
