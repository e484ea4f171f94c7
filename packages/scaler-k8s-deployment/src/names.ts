/** What every annotation, label and selector key of Dormouse begins with. */
export const prefix = "dormouse.dev/";

/** Annotations of a workload. */
export const workloadAnnotations = {
  enabled: `${prefix}enabled`,
  /** Names the Service where several or none would match. */
  service: `${prefix}service`,
  /** `selector` or `none`: how pods leave the traffic before they stop. */
  drain: `${prefix}drain`,
  /** A number that each accepted setScale raises. */
  epoch: `${prefix}epoch`,
  wakeReplicas: `${prefix}wake-replicas`,
} as const;

/** Names under the prefix that this scaler reads itself; all others are a policy's. */
export const ownAnnotations = ["service", "drain", "epoch", "wake-replicas"] as const;

/** On a Service and on its extra slices: who last sent the traffic where, see `RouteRecord`. */
export const routeAnnotation = `${prefix}route`;

/** Key that a diverted Service's selector has in addition, so that no pod matches it. */
export const divertedKey = `${prefix}diverted`;
/** Its value; no pod has such a label. */
export const divertedValue = "true";

/** Label by which an extra slice is known as ours, beside the one that leads to its Service. */
export const managedByLabel = "endpointslice.kubernetes.io/managed-by";
/** Its value. */
export const managedBy = "dormouse.dev";
/** Label of every slice that leads to its Service. */
export const serviceNameLabel = "kubernetes.io/service-name";

/** By which name the API server knows who wrote a field. */
export const fieldManager = "dormouse";
