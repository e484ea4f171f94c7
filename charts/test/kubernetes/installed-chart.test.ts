import { fileURLToPath } from "node:url";
import { openClientTools, openTestApi, testNamespace } from "@dormouse/test-kubernetes";
import type { ApiList, ClientTools, PodObject, TestApi, TestNamespace } from "@dormouse/test-kubernetes";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { until } from "../../../e2e/harness/until.ts";
import { chartFolder, valuesFiles } from "./chart-objects.ts";

const { kubeconfig, hasControllers } = inject("kubernetes");
const operatorKinds = fileURLToPath(new URL("operator-crds.yaml", import.meta.url));
const team = { apiVersion: "v1", kind: "Namespace", metadata: { name: "team-a" } };

let tools: ClientTools;
let api: TestApi;
/** What was made for these tests, to be taken away after them. */
const made: string[] = [];

/** A server that belongs to somebody else may have these, and keeps its own. */
async function makeIfMissing(path: string, make: () => Promise<unknown>): Promise<void> {
  const isThere = await api.get(path).then(
    () => true,
    () => false,
  );
  if (isThere) return;
  await make();
  made.push(path);
}

beforeAll(async () => {
  tools = await openClientTools(kubeconfig);
  api = openTestApi(kubeconfig);
  const kinds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
  for (const kind of ["servicemonitors", "prometheusrules"]) {
    await makeIfMissing(`${kinds}/${kind}.monitoring.coreos.com`, async () =>
      tools.kubectl(["apply", "--filename", operatorKinds]),
    );
  }
  await makeIfMissing("/api/v1/namespaces/team-a", async () => api.post("/api/v1/namespaces", team));
  await tools.kubectl(["wait", "--for=condition=established", "--timeout=30s", "--filename", operatorKinds]);
}, 180_000);

afterAll(async () => {
  for (const path of made) await api.delete(path);
  await api[Symbol.asyncDispose]();
  tools[Symbol.dispose]();
});

/** What the server says to the chart's objects without keeping them. */
async function tryOnServer(text: string): Promise<string[]> {
  const said = await tools.kubectl(["apply", "--dry-run=server", "--filename=-"], { input: text });
  return said.trim().split("\n");
}

describe.each(valuesFiles)("the chart with %s", (_name, values) => {
  it("has nothing that helm lint warns of", async () => {
    // For the youngest server: what an old one has is deprecated to helm.
    const parameters = ["lint", chartFolder, "--strict", "--values", values, "--set-string", "kubeVersion="];
    await expect(tools.helm(parameters)).resolves.toContain("0 chart(s) failed");
    await expect(tools.helm(["lint", chartFolder, "--values", values])).resolves.toContain("0 chart(s) failed");
  });

  it("is accepted by the server in every object", async () => {
    // helm asks no server here: the values say which one it is, the oldest. A younger one is told of.
    const { gitVersion } = await api.get<{ readonly gitVersion: string }>("/version");
    const told = gitVersion.startsWith("v1.20.") ? [] : ["--set-string", `kubeVersion=${gitVersion}`];
    const text = await tools.helm(["template", "one", chartFolder, "--values", values, ...told]);
    const said = await tryOnServer(text);
    expect(said.length).toBeGreaterThan(10);
    expect(said.filter((line) => !line.endsWith(" created (server dry run)"))).toEqual([]);
  });
});

it("would be refused with a field that is none", async () => {
  const text = await tools.helm(["template", "one", chartFolder, "--dry-run=server"]);
  await expect(tryOnServer(text.replaceAll("readinessProbe:", "readynessProbe:"))).rejects.toThrow("readynessProbe");
});

const state = "one-dormouse-state";

function helm(namespace: TestNamespace, ...parameters: readonly string[]): Promise<string> {
  return tools.helm([...parameters, "--namespace", namespace.name]);
}

describe("an installed release", () => {
  it("keeps its token, its state and its Lease over an upgrade", async () => {
    const namespace = await testNamespace();
    const configMap = `/api/v1/namespaces/${namespace.name}/configmaps/${state}`;
    const lease = `/apis/coordination.k8s.io/v1/namespaces/${namespace.name}/leases/one-dormouse-autoscaler`;
    const secret = `/api/v1/namespaces/${namespace.name}/secrets/one-dormouse-token`;
    await helm(namespace, "install", "one", chartFolder);
    const before = await namespace.api.get<{ data: { token: string } }>(secret);
    expect(Buffer.from(before.data.token, "base64").toString()).toMatch(/^[A-Za-z0-9]{48}$/);
    await namespace.api.patch(configMap, { data: { ports: '{"web":20000}' } });
    await namespace.api.patch(lease, { spec: { holderIdentity: "pod-1", leaseDurationSeconds: 15 } });

    await helm(namespace, "upgrade", "one", chartFolder, "--set", "dlx.replicas=3,commonLabels.team=a");

    await expect(namespace.api.get(configMap)).resolves.toMatchObject({
      data: { ports: '{"web":20000}' },
      metadata: { labels: { team: "a" } },
    });
    await expect(namespace.api.get(lease)).resolves.toMatchObject({
      spec: { holderIdentity: "pod-1", leaseDurationSeconds: 15 },
    });
    await expect(namespace.api.get(secret)).resolves.toMatchObject({ data: before.data });
    await helm(namespace, "uninstall", "one", "--no-hooks");
  });

  it.runIf(hasControllers)("is gone as a whole once it is uninstalled, after its release has run", async () => {
    const namespace = await testNamespace();
    await helm(namespace, "install", "one", chartFolder);
    const uninstall = helm(namespace, "uninstall", "one");
    uninstall.catch(() => {});
    const pod = await until("the pod of the release", async () => releasePod(namespace), 30_000);
    expect(pod.spec).toMatchObject({
      serviceAccountName: "one-dormouse-release",
      containers: [{ args: ["release", "-c", "/etc/dormouse/dormouse.yaml"] }],
    });
    // Meanwhile both hosts are there, and so is what the release reads.
    await expect(owned(namespace)).resolves.toEqual(
      expect.arrayContaining(["deployment.apps/one-dormouse-dlx", "configmap/one-dormouse-state"]),
    );
    await endWith(namespace, pod, "Succeeded");
    await uninstall;
    await until("an empty namespace", async () => ((await owned(namespace)).length === 0 ? true : undefined), 30_000);
  });

  it.runIf(hasControllers)("stays where its release fails, and can be uninstalled again", async () => {
    const namespace = await testNamespace();
    await helm(namespace, "install", "one", chartFolder, "--set", "release.backoffLimit=0");
    const uninstall = helm(namespace, "uninstall", "one");
    uninstall.catch(() => {});
    await endWith(
      namespace,
      await until("the pod of the release", async () => releasePod(namespace), 30_000),
      "Failed",
    );
    await expect(uninstall).rejects.toThrow("one-dormouse-release");
    await expect(owned(namespace)).resolves.toContain("deployment.apps/one-dormouse-dlx");
    await helm(namespace, "uninstall", "one", "--no-hooks");
  });

  it("gives each host the rights that it needs, and no more, in the namespaces of its scope", async () => {
    const [namespace, other] = [await testNamespace(), await testNamespace()];
    await helm(namespace, "install", "one", chartFolder, "--set", `namespaces={${namespace.name}}`);
    const may = async (host: string, ...what: readonly string[]): Promise<boolean> => {
      const account = `system:serviceaccount:${namespace.name}:one-dormouse-${host}`;
      const said = await tools.try("kubectl", ["auth", "can-i", ...what, "--as", account]);
      return said.stdout.trim() === "yes";
    };
    const here = ["--namespace", namespace.name];
    const elsewhere = ["--namespace", other.name];
    for (const host of ["dlx", "autoscaler"]) {
      await expect(may(host, "patch", "deployments.apps", ...here)).resolves.toBe(true);
      await expect(may(host, "patch", "deployments.apps", ...elsewhere)).resolves.toBe(false);
      await expect(may(host, "delete", "pods", ...here)).resolves.toBe(false);
      await expect(may(host, "get", "secrets", ...here)).resolves.toBe(false);
    }
    await expect(may("autoscaler", "create", "endpointslices.discovery.k8s.io", ...here)).resolves.toBe(true);
    await expect(may("dlx", "create", "endpointslices.discovery.k8s.io", ...here)).resolves.toBe(false);
    await expect(may("autoscaler", "patch", `configmaps/${state}`, ...here)).resolves.toBe(true);
    await expect(may("autoscaler", "patch", "configmaps/one-dormouse", ...here)).resolves.toBe(false);
    await expect(may("dlx", "patch", `configmaps/${state}`, ...here)).resolves.toBe(false);
    await expect(may("dlx", "update", "leases.coordination.k8s.io/one-dormouse-autoscaler", ...here)).resolves.toBe(
      false,
    );
    await helm(namespace, "uninstall", "one", "--no-hooks");
  });
});

/** Everything of the release, by kind and name, that is not on its way out. */
async function owned(namespace: TestNamespace): Promise<string[]> {
  const kinds =
    "deployments,services,configmaps,secrets,serviceaccounts,roles,rolebindings,leases,jobs,networkpolicies,poddisruptionbudgets";
  const selector = ["--selector", "app.kubernetes.io/instance=one", "--output", "name"];
  const inside = await tools.kubectl(["get", kinds, "--namespace", namespace.name, ...selector]);
  const everywhere = await tools.kubectl(["get", "clusterroles,clusterrolebindings", ...selector]);
  const wide = everywhere.split("\n").filter((name) => name.includes(`/${namespace.name}-`));
  return [...inside.split("\n"), ...wide].filter((name) => name !== "");
}

async function releasePod(namespace: TestNamespace): Promise<PodObject | undefined> {
  const selector = encodeURIComponent("app.kubernetes.io/component=release");
  const { items } = await namespace.api.get<ApiList<PodObject>>(
    `/api/v1/namespaces/${namespace.name}/pods?labelSelector=${selector}`,
  );
  return items[0];
}

/** There is no node: the test says how the pod ended. */
async function endWith(namespace: TestNamespace, pod: PodObject, phase: "Succeeded" | "Failed"): Promise<void> {
  await namespace.api.patch(`/api/v1/namespaces/${namespace.name}/pods/${pod.metadata.name}/status`, {
    status: { phase },
  });
}
