import { apiPath } from "../api-call.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { KubeError } from "../kube-error.ts";
import type { KubeMetadata } from "../kube-object.ts";
import type { Milliseconds } from "@dormouse/core";

/** What a Lease says (https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/lease-v1/). */
export interface LeaseSpec {
  /** Empty or left out: nobody holds it. */
  readonly holderIdentity?: string | null;
  readonly leaseDurationSeconds?: number | null;
  /** RFC 3339 with microseconds, by the holder's wall clock: to be shown, never to be compared with a clock. */
  readonly acquireTime?: string | null;
  readonly renewTime?: string | null;
  readonly leaseTransitions?: number | null;
}

/** A Lease as it was read or written. */
export interface Lease {
  readonly metadata: Partial<KubeMetadata>;
  readonly spec?: LeaseSpec;
}

/** Where one Lease is kept. */
export interface LeaseStore {
  /** Undefined where there is none. */
  read(options: LeaseCallOptions): Promise<Lease | undefined>;
  /** Rejects with `SCALER_CONFLICT` where there is one meanwhile. */
  create(spec: LeaseSpec, options: LeaseCallOptions): Promise<Lease>;
  /** Writes on top of just this version, else rejects with `SCALER_CONFLICT`. */
  update(before: Lease, spec: LeaseSpec, options: LeaseCallOptions): Promise<Lease>;
}

/** How long a call may take, and who gives it up. */
interface LeaseCallOptions {
  readonly signal: AbortSignal;
  readonly deadlineMs: Milliseconds;
}

const groupVersion = "coordination.k8s.io/v1";

/** A Lease of a cluster. */
export function toLeaseStore(cluster: Cluster, namespace: string, name: string): LeaseStore {
  const collection = apiPath(groupVersion, "leases", { namespace });
  const path = apiPath(groupVersion, "leases", { namespace, name });
  const head = { apiVersion: groupVersion, kind: "Lease" };
  return {
    read: async (options) => {
      try {
        return await cluster.request<Lease>("GET", path, options);
      } catch (error) {
        if (error instanceof KubeError && error.status === 404) return undefined;
        throw error;
      }
    },
    create: (spec, options) =>
      cluster.request<Lease>("POST", collection, {
        ...options,
        body: { ...head, metadata: { name, namespace }, spec },
      }),
    update: ({ metadata }, spec, options) =>
      cluster.request<Lease>("PUT", path, { ...options, body: { ...head, metadata, spec } }),
  };
}
