import { expect, inject, it } from "vitest";
import { until } from "../harness/until.ts";
import { makePodReady } from "./make-pod-ready.ts";
import { runTestKubelet } from "./run-test-kubelet.ts";
import { openTestApi } from "./test-api.ts";
import type { ApiList, ApiObject } from "./test-api.ts";
import { createNamespace, testNamespace } from "./test-namespace.ts";
import type { TestNamespace } from "./test-namespace.ts";

const { kubeconfig, hasControllers } = inject("kubernetes");

const deployment = (replicas: number): object => ({
  metadata: { name: "web" },
  spec: {
    replicas,
    selector: { matchLabels: { app: "web" } },
    template: {
      metadata: { labels: { app: "web" } },
      // A scheduler that does not exist leaves the Pods alone, wherever this runs.
      spec: { schedulerName: "test", containers: [{ name: "web", image: "localhost/web:1" }] },
    },
  },
});

interface Endpoints {
  readonly subsets?: readonly { readonly addresses?: readonly { readonly ip: string }[] }[];
}

async function podsOf({ api, name }: TestNamespace, count: number): Promise<readonly string[]> {
  const pods = async (): Promise<readonly ApiObject[] | false> => {
    const { items } = await api.get<ApiList>(`/api/v1/namespaces/${name}/pods`);
    return items.length === count && items;
  };
  return (await until(`${String(count)} Pods`, pods)).map(({ metadata }) => metadata.name);
}

async function readyReplicas({ api, name }: TestNamespace): Promise<number> {
  const path = `/apis/apps/v1/namespaces/${name}/deployments/web`;
  const { status } = await api.get<{ readonly status: { readonly readyReplicas?: number } }>(path);
  return status.readyReplicas ?? 0;
}

async function addressesOf({ api, name }: TestNamespace): Promise<readonly string[]> {
  const found = await api.get<Endpoints>(`/api/v1/namespaces/${name}/endpoints/web`).catch(() => undefined);
  return (found?.subsets ?? []).flatMap(({ addresses }) => addresses ?? []).map(({ ip }) => ip);
}

const patience = { timeout: 20_000 };

it.runIf(hasControllers)("makes Pods of a Deployment, which count once their kubelet says so", async () => {
  const namespace = await testNamespace();
  await namespace.api.post(`/apis/apps/v1/namespaces/${namespace.name}/deployments`, deployment(2));
  const [first = "", second = ""] = await podsOf(namespace, 2);
  await makePodReady(namespace, first);
  await expect.poll(() => readyReplicas(namespace), patience).toBe(1);
  await makePodReady(namespace, second);
  await expect.poll(() => readyReplicas(namespace), patience).toBe(2);
  await makePodReady(namespace, second, { isReady: false, podIp: "192.0.2.200" });
  await expect.poll(() => readyReplicas(namespace), patience).toBe(1);
});

it.runIf(hasControllers)("lists the addresses of ready Pods behind a Service", async () => {
  const namespace = await testNamespace();
  const { api, name } = namespace;
  const ports = [{ port: 80, targetPort: 8080 }];
  await api.post(`/api/v1/namespaces/${name}/services`, {
    metadata: { name: "web" },
    spec: { selector: { app: "web" }, ports },
  });
  await api.post(`/apis/apps/v1/namespaces/${name}/deployments`, deployment(1));
  const kubelet = runTestKubelet(namespace, { podIp: () => "192.0.2.77" });
  await expect.poll(() => addressesOf(namespace), patience).toEqual(["192.0.2.77"]);
  await api.patch(`/apis/apps/v1/namespaces/${name}/deployments/web`, { spec: { replicas: 0 } });
  await podsOf(namespace, 0);
  await kubelet[Symbol.asyncDispose]();
});

it("says what it refuses", async () => {
  const { api, name } = await testNamespace();
  const path = `/api/v1/namespaces/${name}/configmaps`;
  await api.post(path, { metadata: { name: "one" } });
  await expect(api.post(path, { metadata: { name: "one" } })).rejects.toMatchObject({
    status: 409,
    reason: "AlreadyExists",
  });
  await expect(openTestApi(kubeconfig, "nobody").get(path)).rejects.toMatchObject({ status: 401 });
  await expect(api.delete(`${path}/one`)).resolves.toBe(true);
  await expect(api.delete(`${path}/one`)).resolves.toBe(false);
});

it.runIf(hasControllers)("leaves nothing of a namespace that is disposed, Pods that nobody ends included", async () => {
  const namespace = await createNamespace(kubeconfig);
  const { api, name } = namespace;
  await api.post(`/apis/apps/v1/namespaces/${name}/deployments`, deployment(1));
  const [pod = ""] = await podsOf(namespace, 1);
  await makePodReady(namespace, pod);
  await namespace[Symbol.asyncDispose]();
  const other = openTestApi(kubeconfig);
  const answer = async (): Promise<unknown> => other.get(`/api/v1/namespaces/${name}`).catch((error: unknown) => error);
  await expect.poll(answer, patience).toMatchObject({ status: 404 });
  await other[Symbol.asyncDispose]();
});
