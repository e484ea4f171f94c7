import type { Metadata, PodObject, ServiceObject, SliceObject, WorkloadObject } from "../src/objects.ts";
import { toWorkload, type Workload, type WorkloadKind } from "../src/workload.ts";

/** What every object of these tests has besides its name. */
export function metadata(name: string, more: Partial<Metadata> = {}): Metadata {
  const creationTimestamp = "2026-01-02T03:04:05Z";
  return { name, namespace: "shop", uid: `uid-${name}`, resourceVersion: "1", creationTimestamp, ...more };
}

/** What differs between the workloads of tests. */
export interface WorkloadParts {
  readonly kind?: WorkloadKind;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly replicas?: number;
  readonly generation?: number;
  readonly containers?: NonNullable<WorkloadObject["spec"]["template"]["spec"]>["containers"];
  readonly status?: WorkloadObject["status"];
}

/** A workload that asks to be managed, with one container on port 8080. */
export function workload(name: string, parts: WorkloadParts = {}): Workload {
  const { kind = "Deployment", annotations = {}, labels = {}, replicas = 1, generation = 1, status } = parts;
  const { containers = [{ name: "main", ports: [{ name: "web", containerPort: 8080 }] }] } = parts;
  return toWorkload(kind, {
    metadata: metadata(name, { generation, annotations: { "dormouse.dev/enabled": "true", ...annotations } }),
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name, ...labels } }, spec: { containers } },
    },
    ...(status !== undefined && { status }),
  });
}

/** A Service before a workload of the same name. */
export function service(
  name: string,
  spec: Partial<ServiceObject["spec"]> = {},
  more: Partial<Metadata> = {},
): ServiceObject {
  return {
    metadata: metadata(name, { uid: `uid-service-${name}`, ...more }),
    spec: {
      type: "ClusterIP",
      clusterIP: "10.96.0.7",
      selector: { app: name },
      ports: [{ name: "http", port: 80, targetPort: 8080 }],
      ...spec,
    },
  };
}

/** Our slice of a Service, with so many endpoints. */
export function slice(name: string, endpoints: number, more: Partial<Metadata> = {}, port = 20_000): SliceObject {
  return {
    metadata: metadata(`${name}-dormouse-ipv4`, { labels: { "kubernetes.io/service-name": name }, ...more }),
    addressType: "IPv4",
    ports: [{ name: "http", port, protocol: "TCP" }],
    endpoints: Array.from({ length: endpoints }, (_, index) => ({ addresses: [`10.0.0.${String(index + 1)}`] })),
  };
}

/** A pod of a Deployment. */
export function pod(name: string, status: PodObject["status"] = {}, more: Partial<Metadata> = {}): PodObject {
  return { metadata: metadata(name, more), status };
}
