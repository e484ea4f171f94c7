import type { CallOptions, DlxPeer, PeerDiscovery, ResourceRef } from "@dormouse/core";
import type { Network } from "../engine/network.ts";
import type { SimulatedProcess } from "../engine/simulated-process.ts";
import type { Listed, SimulatedPlatform } from "../platform/simulated-platform.ts";

/** Where the code behind a listed DLX is found. */
export type PeerOf = (listed: Listed) => DlxPeer | undefined;

/** The DLXs as the platform lists them, each reached by messages. */
export function remotePeers(
  process: SimulatedProcess,
  platform: SimulatedPlatform,
  network: Network,
  peerOf: PeerOf,
): PeerDiscovery {
  return {
    listPeers: async ({ signal }: CallOptions = {}) => {
      const listed = await network.ask({ from: process, text: "list DLXs", kind: "peers", signal }, () => [
        ...platform.listed.values(),
      ]);
      return listed.map((each) => remotePeer(process, network, each, peerOf));
    },
    [Symbol.asyncDispose]: async () => {},
  };
}

function remotePeer(from: SimulatedProcess, network: Network, listed: Listed, peerOf: PeerOf): DlxPeer {
  const { id, process: to } = listed;
  const there = (): DlxPeer => {
    const peer = peerOf(listed);
    if (peer === undefined) throw new Error(`${to.name} is gone`);
    return peer;
  };
  return {
    id,
    readActivity: ({ signal }: CallOptions = {}) =>
      network.ask({ from, to, text: `activity of ${to.name}`, kind: "activity", signal }, () => there().readActivity()),
    fence: (ref: ResourceRef, attempt: string, { signal }: CallOptions = {}) =>
      network.ask({ from, to, text: `fence ${ref.name} at ${to.name}`, kind: `fence ${ref.name}`, signal }, () =>
        there().fence(ref, attempt),
      ),
  };
}
