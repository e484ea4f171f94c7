import { readFileSync } from "node:fs";
import { parseConfig, type DormouseConfig } from "@dormouse/core";
import { openClientTools, type ClientTools } from "@dormouse/test-kubernetes";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { leaderElectorOptionsSchema } from "../../../packages/kubernetes/src/lease/leader-elector-options.ts";
import { peerDiscoveryOptionsSchema } from "../../../packages/kubernetes/src/peers/peer-discovery-options.ts";
import { k8sDeploymentOptions } from "../../../packages/scaler-k8s-deployment/src/k8s-deployment-options.ts";
import {
  containersOf,
  objectOf,
  podsOf,
  renderChart,
  selected,
  valuesFiles,
  type ChartObject,
  type ChartPod,
  type Labels,
} from "./chart-objects.ts";

let tools: ClientTools;

beforeAll(async () => {
  tools = await openClientTools();
}, 180_000);

afterAll(() => tools[Symbol.dispose]());

const dlx = "Deployment/one-dormouse-dlx";
const autoscaler = "Deployment/one-dormouse-autoscaler";

function configOf(objects: readonly ChartObject[]): DormouseConfig {
  const text = objectOf(objects, "ConfigMap", "one-dormouse").data?.["dormouse.yaml"] ?? "";
  return parseConfig(parse(text), "dormouse.yaml");
}

function podOf(pods: readonly ChartPod[], owner: string): ChartPod {
  const pod = pods.find((each) => each.owner === owner);
  if (pod === undefined) throw new Error(`there is no pod of ${owner}`);
  return pod;
}

describe.each(valuesFiles)("the chart with %s", (_name, path) => {
  let objects: ChartObject[];
  let pods: ChartPod[];

  beforeAll(async () => {
    objects = await renderChart(tools, ["--values", path]);
    pods = podsOf(objects);
  });

  it("writes a configuration that Dormouse accepts", () => {
    const config = configOf(objects);
    expect(config.scalers[0]).toMatchObject({ use: "k8s-deployment", id: "k8s" });
    expect(config.admin.token).toEqual({ file: "/etc/dormouse-token/token" });
  });

  it("gives the plugins options that they accept", () => {
    const { scalers, cluster } = configOf(objects);
    expect(() => k8sDeploymentOptions.parse(scalers[0]?.options)).not.toThrow();
    expect(() => leaderElectorOptionsSchema.parse(cluster.leader?.options)).not.toThrow();
    expect(() => peerDiscoveryOptionsSchema.parse(cluster.peers?.options)).not.toThrow();
  });

  it("lets every pod run without any privilege, and bounds what it takes", () => {
    for (const pod of pods) {
      expect(pod.spec.securityContext, pod.owner).toMatchObject({
        runAsNonRoot: true,
        runAsUser: 65_532,
        seccompProfile: { type: "RuntimeDefault" },
      });
      for (const container of containersOf(pod)) {
        expect(container.securityContext, `${pod.owner} ${container.name}`).toMatchObject({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          runAsNonRoot: true,
          capabilities: { drop: ["ALL"] },
        });
        expect(container.resources?.requests, container.name).toHaveProperty("memory");
        expect(container.resources?.limits, container.name).toHaveProperty("memory");
      }
    }
  });

  it("mounts volumes that are there, of objects that are there or that the values name", () => {
    const named = readFileSync(path, "utf8");
    const exists = (kind: string, name: string): boolean =>
      objects.some((each) => each.kind === kind && each.metadata.name === name) || named.includes(name);
    for (const pod of pods) {
      const volumes = pod.spec.volumes ?? [];
      const missing = volumes.filter(
        ({ configMap, secret }) =>
          !(configMap === undefined || exists("ConfigMap", configMap.name)) ||
          !(secret === undefined || exists("Secret", secret.secretName)),
      );
      expect(missing, pod.owner).toEqual([]);
      const mounted = new Set(containersOf(pod).flatMap((each) => (each.volumeMounts ?? []).map(({ name }) => name)));
      expect([...mounted].toSorted(), pod.owner).toEqual(volumes.map(({ name }) => name).toSorted());
    }
  });

  it("mounts every file that the configuration names, in every pod that reads it", () => {
    const text = objectOf(objects, "ConfigMap", "one-dormouse").data?.["dormouse.yaml"] ?? "";
    const files = [...text.matchAll(/file: (\/\S+)\/[^/\s]+$/gm)].map(([, folder]) => folder);
    const readers = pods.filter(({ spec }) => spec.containers.some(({ args }) => args?.includes("-c")));
    expect(files).toContain("/etc/dormouse-token");
    expect(readers.length).toBeGreaterThanOrEqual(2);
    for (const { spec, owner } of readers) {
      const mounts = (spec.containers[0]?.volumeMounts ?? []).map(({ mountPath }) => mountPath);
      expect(mounts, owner).toEqual(expect.arrayContaining(["/etc/dormouse", "/tmp", ...files]));
    }
  });

  it("leads each Service to the pods of one component, and to a port that they have", () => {
    const services = objects.filter(({ kind }) => kind === "Service");
    expect(services.length).toBeGreaterThanOrEqual(3);
    for (const { metadata, spec = {} } of services) {
      const owners = selected(pods, spec["selector"] as Labels);
      expect(owners, metadata.name).toEqual([`Deployment/${metadata.name.replace(/-admin$/, "")}`]);
      const [container] = podOf(pods, owners[0]!).spec.containers;
      const names = (container?.ports ?? []).map(({ name }) => name);
      for (const { targetPort } of spec["ports"] as { targetPort: string }[]) expect(names).toContain(targetPort);
    }
  });

  it("has each Deployment, budget, policy and spread select the pods of its own component", () => {
    for (const { kind, metadata, spec = {} } of objects) {
      const selector = (spec["selector"] ?? spec["podSelector"]) as { matchLabels?: Labels } | undefined;
      if (kind === "ServiceMonitor" || selector?.matchLabels === undefined) continue;
      expect(selected(pods, selector.matchLabels), `${kind}/${metadata.name}`).toEqual([`Deployment/${metadata.name}`]);
    }
    for (const { owner, spec } of pods)
      for (const { labelSelector } of spec.topologySpreadConstraints ?? [])
        expect(selected(pods, labelSelector.matchLabels)).toEqual([owner]);
  });

  it("finds just the DLX pods as peers, and shows them where the admin API is", () => {
    const { peers } = configOf(objects).cluster;
    const { selector, namespace, adminPort } = peers!.options as Record<string, string | number>;
    const labels = Object.fromEntries(
      String(selector)
        .split(",")
        .map((each) => each.split("=") as [string, string]),
    );
    expect(selected(pods, labels)).toEqual([dlx]);
    expect(namespace).toBe("default");
    const { ports = [] } = podOf(pods, dlx).spec.containers[0]!;
    expect(ports).toContainEqual({ name: "admin", containerPort: adminPort });
  });

  it("has ports in the pods where the configuration listens, and probes them there", () => {
    const config = configOf(objects);
    const portOf = (listen: unknown): number => Number(String(listen).split(":").at(-1));
    const { ports = [] } = podOf(pods, dlx).spec.containers[0]!;
    expect(ports).toContainEqual({ name: "http", containerPort: portOf(config.dlx.listen) });
    for (const owner of [dlx, autoscaler]) {
      const container = podOf(pods, owner).spec.containers[0]!;
      expect(container.ports).toContainEqual({ name: "admin", containerPort: portOf(config.admin.listen) });
      const scheme = config.admin.tls === undefined ? "HTTP" : "HTTPS";
      expect(peerDiscoveryOptionsSchema.parse(config.cluster.peers?.options).scheme).toBe(scheme.toLowerCase());
      expect(container.readinessProbe?.httpGet).toEqual({ path: "/readyz", port: "admin", scheme });
      expect(container.livenessProbe?.httpGet).toEqual({ path: "/healthz", port: "admin", scheme });
      expect(container.startupProbe?.httpGet).toEqual({ path: "/healthz", port: "admin", scheme });
    }
  });

  it("gives a DLX longer to end than its own configuration does", () => {
    const { stopGrace, drainTimeout } = configOf(objects).dlx;
    const grace = podOf(pods, dlx).spec.terminationGracePeriodSeconds ?? 0;
    expect(grace * 1_000).toBeGreaterThan(stopGrace + drainTimeout);
  });

  it("names the Service, the state and the Lease as they are called", () => {
    const config = configOf(objects);
    const { dlx: place, state } = config.scalers[0]!.options as Record<string, Record<string, string>>;
    const { name: lease } = config.cluster.leader!.options as Record<string, string>;
    expect(objectOf(objects, "Service", place!["service"]!).metadata.namespace).toBe(place!["namespace"]);
    expect(objectOf(objects, "ConfigMap", state!["configMap"]!)).not.toHaveProperty("data");
    expect(objectOf(objects, "Lease", lease!)).not.toHaveProperty("spec");
  });

  it("binds each role that it makes, to accounts that it makes", () => {
    const bindings = objects.filter(({ kind }) => kind.endsWith("RoleBinding"));
    const roles = objects.filter(({ kind }) => kind === "Role" || kind === "ClusterRole");
    expect(bindings).toHaveLength(roles.length);
    for (const { kind, metadata, roleRef, subjects = [] } of bindings) {
      expect(roleRef).toMatchObject({ kind: kind.replace("Binding", ""), name: metadata.name });
      const isTheRole = (role: ChartObject): boolean =>
        role.kind === roleRef?.kind &&
        role.metadata.name === roleRef.name &&
        role.metadata.namespace === metadata.namespace;
      expect(roles.filter(isTheRole), `${kind} ${metadata.name}`).toHaveLength(1);
      for (const { name } of subjects) objectOf(objects, "ServiceAccount", name);
    }
    for (const { spec, owner } of pods) {
      if (spec.automountServiceAccountToken === false) continue;
      expect(objectOf(objects, "ServiceAccount", spec.serviceAccountName ?? ""), owner).toBeDefined();
    }
  });

  it("alerts by metrics that Dormouse has", () => {
    const rules = objects.filter(({ kind }) => kind === "PrometheusRule");
    const known = readFileSync(new URL("../../../docs/observability.md", import.meta.url), "utf8");
    const names = [...JSON.stringify(rules).matchAll(/dormouse_[a-z_]+/g)].map(([name]) => name);
    expect(rules.length === 0 || names.length >= 6).toBe(true);
    for (const name of names) expect(known).toContain(`\`${name}\``);
  });
});

describe("values", () => {
  it.each([
    ["an unknown key", "dlx.replica=3", "replica"],
    ["an unknown key of dormouse.yaml", "config.dlx.maxHold=3", "maxHold"],
    ["a duration without a unit", "dlx.drainTimeout=45", "drainTimeout"],
    ["scalers where the chart would not see them", "config.scalers[0].use=x", "scalers"],
    ["less time to end than requests may take", "dlx.terminationGracePeriodSeconds=60", "held requests would be lost"],
    ["a policy that is none", "defaults.idleAftr=5m", "idleAftr"],
    [
      "a test in a namespace that is not scaled",
      "tests.echo=true,namespaces[0]=elsewhere",
      "add default to namespaces",
    ],
  ])("with %s are refused by name", async (_what, setting, expected) => {
    await expect(renderChart(tools, ["--set", setting])).rejects.toThrow(expected);
  });

  it("go over the generated configuration, and the time to end follows them", async () => {
    const objects = await renderChart(tools, ["--set", "config.dlx.drainTimeout=2m,config.log.level=debug"]);
    expect(configOf(objects)).toMatchObject({
      log: { level: "debug" },
      dlx: { drainTimeout: 120_000, stopGrace: 15_000 },
    });
    expect(podOf(podsOf(objects), dlx).spec.terminationGracePeriodSeconds).toBe(150);
  });

  it("with a plugin have each host install it first and look for it there", async () => {
    const objects = await renderChart(tools, ["--set", "plugins[0]=@acme/nomad@1.2.3"]);
    expect(configOf(objects).pluginDir).toBe("/plugins");
    const owners = podsOf(objects).filter(({ spec }) =>
      spec.initContainers?.some(({ args }) => args?.includes("@acme/nomad@1.2.3")),
    );
    expect(owners.map(({ owner }) => owner)).toEqual([autoscaler, dlx, "Job/one-dormouse-release"]);
  });

  it("without namespaces make ClusterRoles, with some a Role in each and no right anywhere else", async () => {
    const rolesWith = async (parameters: readonly string[]): Promise<string[]> =>
      (await renderChart(tools, parameters))
        .filter(({ kind }) => kind === "Role" || kind === "ClusterRole")
        .map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ""} ${metadata.name}`)
        .filter((role) => role.endsWith("-dlx"));
    await expect(rolesWith([])).resolves.toEqual([
      "ClusterRole  default-one-dormouse-dlx",
      "Role default one-dormouse-dlx",
    ]);
    await expect(rolesWith(["--set", "namespaces={a,b}"])).resolves.toEqual([
      "Role default one-dormouse-dlx",
      "Role a default-one-dormouse-dlx",
      "Role b default-one-dormouse-dlx",
    ]);
  });

  it.each([
    ["--kube-version", "1.20"],
    ["--set-string", "kubeVersion=1.20"],
  ])("for an old server, by %s, leave out what it does not know", async (...told) => {
    const old = await renderChart(tools, told);
    const kinds = old.filter(({ kind }) => kind === "PodDisruptionBudget").map(({ apiVersion }) => apiVersion);
    expect(kinds).toEqual(["policy/v1beta1", "policy/v1beta1"]);
    expect(JSON.stringify(old)).not.toContain("endPort");
    const policy = objectOf(await renderChart(tools), "NetworkPolicy", "one-dormouse-dlx");
    expect(JSON.stringify(policy)).toContain('"port":20000,"endPort":29999');
  });
});
