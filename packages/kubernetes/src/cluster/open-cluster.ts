import { type Clock, defaultNamespace, type Logger } from "@dormouse/core";
import type { Cluster, ServerVersion } from "./cluster.ts";
import { discoverApi, type ServedApi } from "./discover-api.ts";
import { KubeClient } from "./kube-client.ts";
import { KubeTransport } from "./kube-transport.ts";
import { type KubeConfigOptions, loadKubeConfig } from "./load-kube-config.ts";
import { readServerVersion } from "./read-server-version.ts";

/** Which cluster, and what the host gives. */
export interface ClusterOptions extends Pick<KubeConfigOptions, "kubeconfig" | "context"> {
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Opens the cluster that a kubeconfig names, else the one whose service account the pod has, else the one of
 * client-node's default. Asks for the server's version and for what it serves.
 *
 * @throws ScalerError `SCALER_BAD_OPTIONS` where there are no usable credentials, `SCALER_UNSUPPORTED` for a server
 *   older than 1.19, else what the first calls reject with
 */
export async function openCluster({ clock, logger, ...options }: ClusterOptions): Promise<Cluster> {
  const config = await loadKubeConfig(options);
  const client = new KubeClient(new KubeTransport(config), clock);
  try {
    const version = await readServerVersion(client);
    const served = await discoverApi(client, logger);
    const namespace = config.getContextObject(config.getCurrentContext())?.namespace?.trim();
    return toCluster(client, version, served, namespace === undefined || namespace === "" ? undefined : namespace);
  } catch (error) {
    await client[Symbol.asyncDispose]();
    throw error;
  }
}

function toCluster(
  client: KubeClient,
  version: ServerVersion,
  served: ServedApi,
  namespace = defaultNamespace,
): Cluster {
  return {
    version,
    namespace,
    serves: (groupVersion, plural) => {
      const plurals = served.get(groupVersion);
      return plurals !== undefined && (plural === undefined || plurals.has(plural));
    },
    request: (method, path, options) => client.request(method, path, options),
    stream: (path, options) => client.stream(path, options),
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}
