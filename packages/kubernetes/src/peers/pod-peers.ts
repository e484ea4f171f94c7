import { isIPv6 } from "node:net";
import type { CallOptions, DlxPeer, PeerDiscovery, PeerDiscoveryContext } from "@dormouse/core";
import { apiPath } from "../api-call.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { KubeObject } from "../kube-object.ts";
import { listAll } from "../list-all.ts";
import type { PeerDiscoveryOptions } from "./peer-discovery-options.ts";

interface Pod extends KubeObject {
  readonly status?: { readonly phase?: string; readonly podIP?: string };
}

/** Phases in which no container runs, nor ever will again. */
const ended = new Set(["Succeeded", "Failed"]);

/** What the discovery takes of its options. */
export type PodPeersOptions = Pick<PeerDiscoveryOptions, "selector" | "adminPort" | "scheme" | "pod"> & {
  readonly namespace: string;
};

/**
 * The DLXs as Pods by a label. Every Pod that may have a process counts: also one that is not ready, that is being
 * deleted, or whose node is gone. What cannot be asked is unknown, and unknown is in use. One without an address is left
 * out, and finds itself left out: it claims nothing before it is in the list, so that a pod without a place on any node
 * keeps nothing awake.
 */
export class PodPeers implements PeerDiscovery {
  declare readonly self?: string;
  readonly #cluster: Cluster;
  readonly #options: PodPeersOptions;
  readonly #connect: PeerDiscoveryContext["connect"];
  /** Kept from list to list, for their connections. */
  #known: ReadonlyMap<string, DlxPeer> = new Map();

  constructor(cluster: Cluster, options: PodPeersOptions, connect: PeerDiscoveryContext["connect"]) {
    this.#cluster = cluster;
    this.#options = options;
    this.#connect = connect;
    if (options.pod !== undefined) this.self = options.pod;
  }

  async listPeers({ signal }: CallOptions = {}): Promise<readonly DlxPeer[]> {
    const { selector, namespace } = this.#options;
    const path = apiPath("v1", "pods", { namespace });
    const pods = await listAll<Pod>(this.#cluster, path, { query: { labelSelector: selector }, signal });
    const peers = pods
      .filter(({ status }) => !ended.has(status?.phase ?? "") && (status?.podIP ?? "") !== "")
      .map((pod) => [this.#keyOf(pod), this.#known.get(this.#keyOf(pod)) ?? this.#toPeer(pod)] as const);
    this.#known = new Map(peers);
    return peers.map(([, peer]) => peer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cluster[Symbol.asyncDispose]();
  }

  #keyOf({ metadata, status }: Pod): string {
    return `${metadata.name}\0${metadata.uid ?? ""}\0${status?.podIP ?? ""}`;
  }

  #toPeer({ metadata, status }: Pod): DlxPeer {
    const { scheme, adminPort } = this.#options;
    const address = status?.podIP ?? "";
    const host = isIPv6(address) ? `[${address}]` : address;
    return this.#connect({ id: metadata.name, url: `${scheme}://${host}:${String(adminPort)}` });
  }
}
