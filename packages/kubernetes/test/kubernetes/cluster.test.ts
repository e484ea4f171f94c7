import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger, systemClock } from "@dormouse/core";
import { type TestNamespace, testNamespace } from "@dormouse/test-kubernetes";
import { KubeConfig } from "@kubernetes/client-node";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import {
  apiPath,
  type Cluster,
  type Informer,
  type InformerOptions,
  type KubeObject,
  openCluster,
  openInformer,
} from "../../src/index.ts";
import { TcpGate } from "./tcp-gate.ts";

interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

let namespace: TestNamespace;
let cluster: Cluster;
let path: string;
const opened: AsyncDisposable[] = [];
const patience = { timeout: 20_000, interval: 20 };

beforeEach(async () => {
  namespace = await testNamespace();
  cluster = await open(namespace.kubeconfig);
  path = apiPath("v1", "configmaps", { namespace: namespace.name });
});

afterEach(async () => {
  for (const each of opened.splice(0).toReversed()) await each[Symbol.asyncDispose]();
});

async function open(kubeconfig: string): Promise<Cluster> {
  const one = await openCluster({ kubeconfig, clock: systemClock, logger: silentLogger });
  opened.push(one);
  return one;
}

function follow(of: Cluster, options: Partial<InformerOptions<ConfigMap, ConfigMap>> = {}): Informer<ConfigMap> {
  const informer = openInformer<ConfigMap, ConfigMap>(of, {
    groupVersion: "v1",
    plural: "configmaps",
    namespace: namespace.name,
    labelSelector: "test=yes",
    clock: systemClock,
    logger: silentLogger,
    ...options,
  });
  opened.push(informer);
  return informer;
}

const configMap = (name: string, value: string): object => ({
  metadata: { name, labels: { test: "yes" } },
  data: { value },
});

const merge = { contentType: "application/merge-patch+json" };

describe("a cluster", () => {
  it("knows its version and what it serves", () => {
    expect(cluster.version.major).toBe(1);
    expect(cluster.version.minor).toBeGreaterThanOrEqual(19);
    expect(cluster.serves("apps/v1", "deployments")).toBe(true);
    expect(cluster.serves("v1", "pods")).toBe(true);
    expect(cluster.serves("coordination.k8s.io/v1", "leases")).toBe(true);
    expect(cluster.serves("dormouse.dev/v1")).toBe(false);
  });

  it("writes, patches on a version, and says what went wrong", async () => {
    const made = await cluster.request<ConfigMap>("POST", path, { body: configMap("a", "1") });
    const version = made.metadata.resourceVersion;
    const body = { metadata: { resourceVersion: version }, data: { value: "2" } };
    const patched = await cluster.request<ConfigMap>("PATCH", `${path}/a`, { ...merge, body });
    expect(patched.data).toEqual({ value: "2" });
    const again = cluster.request("PATCH", `${path}/a`, { ...merge, body });
    await expect(again).rejects.toMatchObject({ code: "SCALER_CONFLICT", status: 409, reason: "Conflict" });
    await expect(cluster.request("POST", path, { body: configMap("a", "1") })).rejects.toMatchObject({
      code: "SCALER_CONFLICT",
      reason: "AlreadyExists",
    });
    await expect(cluster.request("GET", `${path}/none`)).rejects.toMatchObject({ code: "SCALER_NOT_FOUND" });
    await expect(cluster.request("POST", path, { body: configMap("A_", "1") })).rejects.toMatchObject({
      code: "SCALER_BAD_ARGUMENT",
      status: 422,
    });
  });

  it("is reached through the proxy of its kubeconfig", async () => {
    let tunnels = 0;
    const proxy = createServer().on("connect", ({ url = "" }: IncomingMessage, near: Socket) => {
      tunnels += 1;
      const { hostname, port } = new URL(`https://${url}`);
      const far = connect(Number(port), hostname, () => {
        near.write("HTTP/1.1 200 Connection established\r\n\r\n");
        near.pipe(far).pipe(near);
      });
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const)
        one.on("error", () => {}).on("close", () => other.destroy());
    });
    await new Promise<void>((resolve) => {
      proxy.listen(0, "127.0.0.1", resolve);
    });
    onTestFinished(() => void proxy.close());
    const { port } = proxy.address() as { readonly port: number };
    const through = await open(await kubeconfigWith({}, { "proxy-url": `http://127.0.0.1:${String(port)}` }));
    await through.request("POST", path, { body: configMap("a", "1") });
    const informer = follow(through);
    await informer.whenSynced();
    await cluster.request("POST", path, { body: configMap("b", "1") });
    await expect.poll(() => informer.list().length, patience).toBe(2);
    expect(tunnels).toBeGreaterThan(0);
  });

  it("names the missing rule of a service account, and takes its token", async () => {
    const { api, name } = namespace;
    await api.post(`/api/v1/namespaces/${name}/serviceaccounts`, { metadata: { name: "weak" } });
    const request = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} };
    const tokenPath = `/api/v1/namespaces/${name}/serviceaccounts/weak/token`;
    const { status } = await api.post<{ status: { token: string } }>(tokenPath, request);
    const weak = await open(await kubeconfigWith({ token: status.token }));
    await expect(weak.request("GET", path)).rejects.toMatchObject({
      code: "SCALER_FORBIDDEN",
      message: expect.stringContaining(
        `apiGroups: [""], resources: ["configmaps"], verbs: ["list"] in a Role of namespace "${name}"`,
      ) as string,
    });
    const informer = follow(weak);
    await expect(informer.whenSynced()).rejects.toMatchObject({ code: "SCALER_FORBIDDEN" });
    await grant("weak");
    await expect.poll(() => informer.problem, patience).toBeUndefined();
    await informer.whenSynced();
    await expect(open(await kubeconfigWith({ token: "nonsense" }))).rejects.toMatchObject({
      code: "SCALER_FORBIDDEN",
      status: 401,
    });
  });
});

describe("an informer", () => {
  it("follows what others write", async () => {
    await cluster.request("POST", path, { body: configMap("a", "1") });
    await cluster.request("POST", path, { body: { metadata: { name: "unlabelled" } } });
    const informer = follow(cluster, { pageSize: 1 });
    const heard: string[] = [];
    informer.subscribe((change) =>
      heard.push(change.kind === "synced" ? "synced" : `${change.kind} ${change.object.metadata.name}`),
    );
    await informer.whenSynced();
    await cluster.request("POST", path, { body: configMap("b", "1") });
    await cluster.request("PATCH", `${path}/a`, { ...merge, body: { data: { value: "2" } } });
    // Leaves the selector, which a watch tells as a deletion.
    await cluster.request("PATCH", `${path}/b`, { ...merge, body: { metadata: { labels: { test: "no" } } } });
    await expect.poll(() => heard, patience).toEqual(["set a", "synced", "set b", "set a", "gone b"]);
    expect(informer.list().map(({ data }) => data)).toEqual([{ value: "2" }]);
    expect(informer.list()[0]?.metadata).not.toHaveProperty("managedFields");
  });

  it.each([
    ["shut", "ECONNRESET|other side closed|terminated"],
    // Two seconds asked for, fifteen of grace: a dead connection is found out by silence alone.
    ["silence", "silent for 17 s"],
  ] as const)("misses nothing of what happens while its way is %s", async (how, problem) => {
    const gate = await TcpGate.open(namespace.kubeconfig);
    opened.push(gate);
    await cluster.request("POST", path, { body: configMap("a", "1") });
    await cluster.request("POST", path, { body: configMap("b", "1") });
    const informer = follow(await open(gate.kubeconfig), { watchTimeoutMs: 2_000 });
    await informer.whenSynced();
    await expect.poll(() => gate.connections, patience).toBeGreaterThan(1);
    await new Promise((resolve) => setTimeout(resolve, 200));
    gate[how]();
    await cluster.request("DELETE", `${path}/a`);
    await cluster.request("PATCH", `${path}/b`, { ...merge, body: { data: { value: "2" } } });
    const text = (): string => informer.problem?.message ?? "";
    await expect.poll(text, { ...patience, timeout: 30_000 }).toMatch(new RegExp(problem));
    expect(informer.list()).toHaveLength(2);
    gate.reopen();
    await expect.poll(() => informer.list().map(({ data }) => data), patience).toEqual([{ value: "2" }]);
    await expect.poll(() => informer.problem, patience).toBeUndefined();
  });

  it("goes on over watches that end in their time, without another list", async () => {
    const lists: string[] = [];
    const counting: Cluster = {
      ...cluster,
      request: (method, where, options) => {
        lists.push(where);
        return cluster.request(method, where, options);
      },
    };
    const informer = follow(counting, { watchTimeoutMs: 1_500 });
    await informer.whenSynced();
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    await cluster.request("POST", path, { body: configMap("late", "1") });
    await expect.poll(() => informer.list().length, patience).toBe(1);
    expect(lists).toHaveLength(1);
    expect(informer.problem).toBeUndefined();
  });

  it("begins anew where the server no longer has its version", async () => {
    await cluster.request("POST", path, { body: configMap("a", "1") });
    let isFirst = true;
    const forgetful: Cluster = {
      ...cluster,
      stream: (where, options) => {
        const query = isFirst ? { ...options?.query, resourceVersion: "1" } : options?.query;
        isFirst = false;
        return cluster.stream(where, { ...options, ...(query !== undefined && { query }) });
      },
    };
    const informer = follow(forgetful);
    await informer.whenSynced();
    await expect.poll(() => isFirst, patience).toBe(false);
    await cluster.request("POST", path, { body: configMap("b", "1") });
    await expect.poll(() => informer.list().length, patience).toBe(2);
    expect(informer.problem).toBeUndefined();
  });
});

/** The server's own kubeconfig with another user, unless that is empty, and further settings of the cluster. */
async function kubeconfigWith(user: object, more: object = {}): Promise<string> {
  const config = new KubeConfig();
  config.loadFromFile(namespace.kubeconfig);
  const exported = JSON.parse(config.exportConfig()) as {
    clusters: { cluster: object }[];
    users: { name: string; user: object }[];
  };
  if (Object.keys(user).length > 0) for (const each of exported.users) each.user = user;
  for (const each of exported.clusters) Object.assign(each.cluster, more);
  const folder = await mkdtemp(join(tmpdir(), "dormouse-kubeconfig-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "kubeconfig");
  await writeFile(file, JSON.stringify(exported));
  return file;
}

/** Lets a service account read ConfigMaps. */
async function grant(account: string): Promise<void> {
  const { api, name } = namespace;
  const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${name}`;
  const rules = [{ apiGroups: [""], resources: ["configmaps"], verbs: ["list", "watch"] }];
  await api.post(`${rbac}/roles`, { metadata: { name: "reader" }, rules });
  await api.post(`${rbac}/rolebindings`, {
    metadata: { name: "reader" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "reader" },
    subjects: [{ kind: "ServiceAccount", name: account, namespace: name }],
  });
}
