/** Label of the Pod that stands for the DLX's process. */
const dlxLabel = { app: "dormouse-dlx" } as const;

/** Asks Dormouse to manage a workload. */
export const enabledAnnotation = "dormouse.dev/enabled";

/** A Deployment as applications have them, of three kilobytes, that sleeps and asks for nothing yet. */
export function deploymentOf(name: string): object {
  const labels = { app: name };
  const env = Array.from({ length: 12 }, (_, index) => ({ name: `SETTING_${String(index)}`, value: `value-${name}` }));
  const probe = { httpGet: { path: "/healthz", port: "http" }, periodSeconds: 5, timeoutSeconds: 2 };
  const container = {
    name: "main",
    image: "registry.example.com/team/application:1.2.3",
    ports: [{ name: "http", containerPort: 8080 }],
    env,
    readinessProbe: probe,
    livenessProbe: probe,
    resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { memory: "256Mi" } },
    volumeMounts: [{ name: "settings", mountPath: "/etc/settings" }],
  };
  const volumes = [{ name: "settings", configMap: { name: `${name}-settings` } }];
  return {
    metadata: { name, labels: { ...labels, "app.kubernetes.io/managed-by": "bench" } },
    spec: {
      replicas: 0,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [container], volumes } },
    },
  };
}

/** What the Deployment controller writes once it has seen a Deployment without replicas. */
export const quietStatus: object = {
  observedGeneration: 1,
  conditions: [
    { type: "Available", status: "True", reason: "MinimumReplicasAvailable", message: "It has minimum availability." },
    { type: "Progressing", status: "True", reason: "NewReplicaSetAvailable", message: "It has progressed." },
  ],
};

/** The Service in front of it. */
export function serviceOf(name: string): object {
  return {
    metadata: { name },
    spec: { selector: { app: name }, ports: [{ name: "http", port: 80, targetPort: "http" }] },
  };
}

/** The headless Service by which the DLXs are found, without selector: nobody fills it but this bench. */
export const dlxService: object = {
  metadata: { name: "dormouse-dlx" },
  spec: { clusterIP: "None", ports: [{ name: "http", port: 8080 }] },
};

/** Its slice with the one DLX that runs on this machine. */
export function dlxSlice(address: string): object {
  return {
    metadata: { name: "dormouse-dlx-1", labels: { "kubernetes.io/service-name": "dormouse-dlx" } },
    addressType: "IPv4",
    ports: [{ name: "http", port: 8080, protocol: "TCP" }],
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
  };
}

/** The Pod that stands for the DLX's process. */
export const dlxPod: object = {
  metadata: { name: "dormouse-dlx-0", labels: dlxLabel },
  spec: { containers: [{ name: "dlx", image: "localhost/none:1" }], schedulerName: "nobody" },
};
