import { openPort, type Route, silentLogger, systemClock } from "@dormouse/core";
import { ApiFailure, type TestNamespace, testNamespace } from "@dormouse/test-kubernetes";
import { expect, inject, it, onTestFinished } from "vitest";
import { RecordingLogger } from "../recording-logger.ts";
import { routeSource } from "../../src/index.ts";

const patience = { timeout: 20_000, interval: 20 };

/** The routes of a namespace as they come, in words. */
async function watch({ kubeconfig, name }: TestNamespace, options: object = {}) {
  const logger = new RecordingLogger();
  const source = await openPort(
    routeSource,
    { kubeconfig, namespaces: [name], ...options },
    { id: "routes", clock: systemClock, logger },
  );
  const abort = new AbortController();
  const lists: string[][] = [];
  const watching = (async () => {
    for await (const routes of source.watchRoutes({ signal: abort.signal })) lists.push(routes.map(toText));
  })();
  onTestFinished(async () => {
    abort.abort();
    await watching;
    await source[Symbol.asyncDispose]();
  });
  return { lists, latest: () => lists.at(-1), logger };
}

function toText({ ref, port, host, path, pathPrefix }: Route): string {
  return `${host ?? "*"}${path === undefined ? (pathPrefix ?? "/") : `=${path}`} -> ${ref.name}:${port ?? ""}`;
}

async function makeWorkload({ api, name }: TestNamespace, app: string, kind = "deployments"): Promise<void> {
  await api.post(`/apis/apps/v1/namespaces/${name}/${kind}`, {
    metadata: { name: app, annotations: { "dormouse.dev/enabled": "true" } },
    spec: {
      replicas: 0,
      ...(kind === "statefulsets" && { serviceName: app }),
      selector: { matchLabels: { app } },
      template: {
        metadata: { labels: { app } },
        spec: { schedulerName: "test", containers: [{ name: "c", image: "localhost/c:1" }] },
      },
    },
  });
  await api.post(`/api/v1/namespaces/${name}/services`, {
    metadata: { name: `${app}-service` },
    spec: { selector: { app }, ports: [{ name: "http", port: 80, targetPort: 8080 }] },
  });
}

const backend = (app: string) => ({ service: { name: `${app}-service`, port: { name: "http" } } });

it("follows Ingresses, workloads and Services as they come, change and go", async () => {
  const namespace = await testNamespace();
  const { api, name } = namespace;
  const ingresses = `/apis/networking.k8s.io/v1/namespaces/${name}/ingresses`;
  const paths = [
    { path: "/", pathType: "Prefix", backend: backend("web") },
    { path: "/db", pathType: "Exact", backend: backend("db") },
  ];
  await api.post(ingresses, {
    metadata: { name: "site" },
    spec: { rules: [{ host: "shop.example", http: { paths } }] },
  });
  const { lists, latest } = await watch(namespace);
  await expect.poll(latest, patience).toEqual([]);
  await makeWorkload(namespace, "web");
  await expect.poll(latest, patience).toEqual(["shop.example/ -> web:http"]);
  await makeWorkload(namespace, "db", "statefulsets");
  const both = ["shop.example/ -> web:http", "shop.example=/db -> statefulset:db:http"];
  await expect.poll(latest, patience).toEqual(both);
  const before = lists.length;
  // What a sleep does to Service and workload changes no route.
  const service = `/api/v1/namespaces/${name}/services/web-service`;
  await api.patch(service, { spec: { selector: { app: "web", "dormouse.dev/diverted": "true" } } });
  const web = `/apis/apps/v1/namespaces/${name}/deployments/web`;
  await api.patch(web, { metadata: { annotations: { "dormouse.dev/epoch": "7" } } });
  await api.patch(`${ingresses}/site`, { spec: { defaultBackend: backend("web") } });
  await expect.poll(latest, patience).toEqual([...both, "*/ -> web:http"]);
  expect(lists).toHaveLength(before + 1);
  await api.patch(web, { metadata: { annotations: { "dormouse.dev/enabled": "false" } } });
  await expect.poll(latest, patience).toEqual(both.slice(1));
  await api.delete(`${ingresses}/site`);
  await expect.poll(latest, patience).toEqual([]);
});

it("takes HTTPRoutes where the cluster has them", async () => {
  const namespace = await testNamespace();
  const { api, name } = namespace;
  await makeHttpRouteKind(namespace);
  await makeWorkload(namespace, "web");
  const rule = {
    matches: [{ path: { type: "PathPrefix", value: "/a" } }],
    backendRefs: [{ name: "web-service", port: 80 }],
  };
  const pattern = { ...rule, matches: [{ path: { type: "RegularExpression", value: "/.*" } }] };
  await api.post(`/apis/gateway.networking.k8s.io/v1/namespaces/${name}/httproutes`, {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "HTTPRoute",
    metadata: { name: "site" },
    spec: { hostnames: ["gate.example"], rules: [rule, pattern] },
  });
  const { latest, logger } = await watch(namespace);
  await expect.poll(latest, patience).toEqual(["gate.example/a -> web:http"]);
  expect(JSON.stringify(logger.lines)).toContain("matches by the pattern /.*");
  const without = await watch(namespace, { gateway: false });
  await expect.poll(without.latest, patience).toEqual([]);
});

it("refuses options that it does not know", async () => {
  const context = { id: "routes", clock: systemClock, logger: silentLogger };
  await expect(openPort(routeSource, { ingres: true }, context)).rejects.toThrow("ingres");
  await expect(openPort(routeSource, { annotationPrefix: "dormouse" }, context)).rejects.toThrow("no prefix");
});

/** The kind's definition, if the cluster has none: the group is Kubernetes' own, which wants to be told that this is a test. */
async function makeHttpRouteKind({ api }: TestNamespace): Promise<void> {
  const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
  const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
  const definition = {
    metadata: {
      name: "httproutes.gateway.networking.k8s.io",
      annotations: { "api-approved.kubernetes.io": "unapproved, for a test" },
    },
    spec: {
      group: "gateway.networking.k8s.io",
      scope: "Namespaced",
      names: { plural: "httproutes", singular: "httproute", kind: "HTTPRoute", listKind: "HTTPRouteList" },
      versions: [{ name: "v1", served: true, storage: true, schema }],
    },
  };
  const path = `${definitions}/${definition.metadata.name}`;
  // One that an earlier try has deleted must be gone first.
  const leavesSince = async (): Promise<string | undefined> =>
    (await api.get(path).catch(() => undefined))?.metadata.deletionTimestamp;
  await expect.poll(leavesSince, patience).toBeUndefined();
  try {
    await api.post(definitions, definition);
    // A server of this run goes with the run; all tests of the run share the kind.
    if (inject("kubernetes").isForeign) onTestFinished(async () => void (await api.delete(path)));
  } catch (error) {
    if (!(error instanceof ApiFailure) || error.reason !== "AlreadyExists") throw error;
  }
  const served = async (): Promise<boolean> => {
    const list = await api
      .get<{ resources: readonly { name: string }[] }>("/apis/gateway.networking.k8s.io/v1")
      .catch(() => undefined);
    return list?.resources.some((resource) => resource.name === "httproutes") === true;
  };
  await expect.poll(served, patience).toBe(true);
}
