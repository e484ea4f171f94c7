/** What differs between the workloads of tests. */
export interface WorkloadChoice {
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly replicas?: number;
  readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[];
  readonly readinessProbe?: object;
}

/** A Deployment that asks to be managed. */
export function deployment(name: string, choice: WorkloadChoice = {}): object {
  return { ...workload(name, choice), apiVersion: "apps/v1", kind: "Deployment" };
}

/** A StatefulSet that asks to be managed. */
export function statefulSet(name: string, choice: WorkloadChoice = {}): object {
  const { metadata, spec } = workload(name, choice);
  return { apiVersion: "apps/v1", kind: "StatefulSet", metadata, spec: { ...spec, serviceName: name } };
}

/** A Service in front of a workload. */
export function service(name: string, spec: object = {}): object {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name },
    spec: { selector: { app: name }, ports: [{ name: "http", port: 80, targetPort: 8080 }], ...spec },
  };
}

function workload(
  name: string,
  {
    annotations = {},
    labels = {},
    replicas = 0,
    ports = [{ name: "web", containerPort: 8080 }],
    readinessProbe,
  }: WorkloadChoice,
) {
  const own = { app: name, ...labels };
  const container = {
    name: "main",
    image: "localhost/none:1",
    ports,
    ...(readinessProbe !== undefined && { readinessProbe }),
  };
  return {
    metadata: { name, annotations: { "dormouse.dev/enabled": "true", ...annotations } },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: own },
        spec: { terminationGracePeriodSeconds: 1, schedulerName: "nobody", containers: [container] },
      },
    },
  };
}
