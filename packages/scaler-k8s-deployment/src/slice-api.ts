import { isScalerError } from "@dormouse/core";
import { apiPath, type Cluster } from "@dormouse/kubernetes";
import {
  fieldManager,
  managedBy,
  managedByLabel,
  routeAnnotation,
  serviceNameLabel,
  workloadAnnotations,
} from "./names.ts";
import type { ServiceObject, SliceEndpoint, SliceObject, SlicePort } from "./objects.ts";
import { formatRoute, type RouteRecord } from "./route-record.ts";

/** IP families that a slice can be of. */
export type AddressType = "IPv4" | "IPv6";

/** What one of our slices is to say. */
export interface SliceContent {
  readonly service: ServiceObject;
  readonly addressType: AddressType;
  readonly ports: readonly SlicePort[];
  readonly endpoints: readonly SliceEndpoint[];
  readonly route?: RouteRecord;
  readonly wakeReplicas?: number;
}

/** Our extra EndpointSlices on the API server: `discovery.k8s.io/v1`, or `v1beta1` where the server is older. */
export class SliceApi {
  readonly #cluster: Cluster;
  readonly #groupVersion: string;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    this.#groupVersion = cluster.serves("discovery.k8s.io/v1", "endpointslices")
      ? "discovery.k8s.io/v1"
      : "discovery.k8s.io/v1beta1";
  }

  async read(namespace: string, name: string, signal: AbortSignal | undefined): Promise<SliceObject | undefined> {
    try {
      return await this.#cluster.request<SliceObject>("GET", this.#path(namespace, name), { signal });
    } catch (error) {
      if (isScalerError(error) && error.code === "SCALER_NOT_FOUND") return undefined;
      throw error;
    }
  }

  /** All slices of a Service, whoever keeps them. */
  async listOf(
    { metadata: { namespace, name } }: ServiceObject,
    signal: AbortSignal | undefined,
  ): Promise<readonly SliceObject[]> {
    const { items } = await this.#cluster.request<{ readonly items?: readonly SliceObject[] }>(
      "GET",
      this.#path(namespace),
      {
        query: { labelSelector: `${serviceNameLabel}=${name}` },
        signal,
      },
    );
    return items ?? [];
  }

  /** Rejects with `SCALER_CONFLICT` where one has been made meanwhile. */
  create(content: SliceContent, signal: AbortSignal | undefined): Promise<SliceObject> {
    const { namespace } = content.service.metadata;
    return this.#cluster.request<SliceObject>("POST", this.#path(namespace), {
      query: { fieldManager },
      body: this.#toObject(content),
      signal,
    });
  }

  /** Replaces ports, endpoints and record, if the slice is still the one that was read; else rejects with `SCALER_CONFLICT`. */
  replace(read: SliceObject, content: SliceContent, signal: AbortSignal | undefined): Promise<SliceObject> {
    const { namespace, name, resourceVersion, uid } = read.metadata;
    const object = this.#toObject(content);
    const body = { ...object, metadata: { ...object.metadata, name, uid, resourceVersion } };
    return this.#cluster.request<SliceObject>("PUT", this.#path(namespace, name), {
      query: { fieldManager },
      body,
      signal,
    });
  }

  async remove(
    { metadata: { namespace, name, uid, resourceVersion } }: SliceObject,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const body = { apiVersion: "v1", kind: "DeleteOptions", preconditions: { uid, resourceVersion } };
    try {
      await this.#cluster.request("DELETE", this.#path(namespace, name), { body, signal });
    } catch (error) {
      if (!(isScalerError(error) && error.code === "SCALER_NOT_FOUND")) throw error;
    }
  }

  #path(namespace: string, name?: string): string {
    return apiPath(this.#groupVersion, "endpointslices", { namespace, ...(name !== undefined && { name }) });
  }

  /** An ownerReference on the Service, so that nothing stays behind where it goes. */
  #toObject({ service, addressType, ports, endpoints, route, wakeReplicas }: SliceContent) {
    const { namespace, name, uid } = service.metadata;
    return {
      apiVersion: this.#groupVersion,
      kind: "EndpointSlice",
      metadata: {
        name: sliceName(name, addressType),
        namespace,
        labels: { [serviceNameLabel]: name, [managedByLabel]: managedBy },
        annotations: {
          ...(route !== undefined && { [routeAnnotation]: formatRoute(route) }),
          ...(wakeReplicas !== undefined && { [workloadAnnotations.wakeReplicas]: String(wakeReplicas) }),
        },
        ownerReferences: [{ apiVersion: "v1", kind: "Service", name, uid }],
      },
      addressType,
      ports,
      endpoints,
    };
  }
}

/** One slice of ours for each family of a Service. */
export function sliceName(service: string, addressType: AddressType): string {
  return `${service.slice(0, 240)}-dormouse-${addressType.toLowerCase()}`;
}

/** The families whose addresses a Service has. */
export function addressTypesOf({ spec }: ServiceObject): readonly AddressType[] {
  if (spec.ipFamilies !== undefined && spec.ipFamilies.length > 0)
    return spec.ipFamilies.flatMap((family) => (family === "IPv4" || family === "IPv6" ? [family] : []));
  return spec.clusterIP?.includes(":") === true ? ["IPv6"] : ["IPv4"];
}
