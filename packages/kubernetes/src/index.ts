export { apiPath, type ApiPathParts } from "./api-call.ts";
export type {
  ApiMethod,
  ApiQuery,
  ApiRequestOptions,
  ApiStreamOptions,
  Cluster,
  ServerVersion,
} from "./cluster/cluster.ts";
export { type ClusterOptions, openCluster } from "./cluster/open-cluster.ts";
export type { Informer, InformerChange, InformerOptions } from "./informer/informer.ts";
export { leaderElector } from "./lease/leader-elector.ts";
export { openInformer } from "./informer/open-informer.ts";
export { type InformersOptions, openInformers } from "./informer/open-informers.ts";
export { isExpired, KubeError, type KubeErrorFacts } from "./kube-error.ts";
export type { KubeList, KubeMetadata, KubeObject, KubeOwnerReference } from "./kube-object.ts";
export { metricsSource } from "./metrics/metrics-source.ts";
export { peerDiscovery } from "./peers/peer-discovery.ts";
export { routeSource } from "./routes/route-source.ts";
