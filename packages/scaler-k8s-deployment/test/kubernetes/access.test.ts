import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { type NeededRight, neededRights } from "../../src/check-access.ts";
import { k8sDeploymentOptions } from "../../src/k8s-deployment-options.ts";
import { field, toKubeconfig } from "./open-gateway.ts";
import { openScene, type Scene } from "./open-scene.ts";

const soon = { timeout: 30_000, interval: 50 };

/** A kubeconfig for a service account that has these rights in the scene's namespace and no other. */
async function grant(scene: Scene, rights: readonly NeededRight[]): Promise<string> {
  const { api, name, kubeconfig } = scene.namespace;
  await api.post(`/api/v1/namespaces/${name}/serviceaccounts`, { metadata: { name: "dormouse" } });
  const rules = rights.map(({ group, resource, verbs, name: only }) => ({
    apiGroups: [group],
    resources: [resource],
    verbs,
    ...(only !== undefined && { resourceNames: [only] }),
  }));
  const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${name}`;
  await api.post(`${rbac}/roles`, { metadata: { name: "dormouse" }, rules });
  await api.post(`${rbac}/rolebindings`, {
    metadata: { name: "dormouse" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "dormouse" },
    subjects: [{ kind: "ServiceAccount", name: "dormouse", namespace: name }],
  });
  const { status } = await api.post<{ readonly status: { readonly token: string } }>(
    `/api/v1/namespaces/${name}/serviceaccounts/dormouse/token`,
    { spec: { expirationSeconds: 3_600 } },
  );
  const text = await readFile(kubeconfig, "utf8");
  const authority = field(text, "certificate-authority");
  const data = field(text, "certificate-authority-data");
  const cluster =
    data === undefined
      ? { "certificate-authority": resolve(kubeconfig, "..", authority ?? "") }
      : { "certificate-authority-data": data };
  const folder = await mkdtemp(join(tmpdir(), "dormouse-user-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, "kubeconfig");
  await writeFile(path, toKubeconfig(field(text, "server") ?? "", { token: status.token }, cluster), { mode: 0o600 });
  // The server takes a moment to know of a new role.
  await until(() => sees(scene));
  return path;

  async function sees({ namespace }: Scene): Promise<boolean> {
    const review = await namespace.api.post<{ readonly status: { readonly allowed: boolean } }>(
      "/apis/authorization.k8s.io/v1/subjectaccessreviews",
      {
        spec: {
          user: `system:serviceaccount:${name}:dormouse`,
          resourceAttributes: { namespace: name, group: "apps", resource: "deployments", verb: "watch" },
        },
      },
    );
    return review.status.allowed;
  }
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  await expect.poll(condition, soon).toBe(true);
}

/** What the scaler of a scene needs, as it says itself. */
function rightsOf(scene: Scene, keep = true): readonly NeededRight[] {
  const { name } = scene.namespace;
  const options = k8sDeploymentOptions.parse({
    namespaces: [name],
    dlx: scene.dlx.options,
    state: { namespace: name },
    keep,
  });
  // Other tests may have installed KEDA's kind on the server that all share.
  return neededRights({ namespace: name, serves: () => true }, options);
}

async function makeState({ namespace: { api, name } }: Scene): Promise<void> {
  await api.post(`/api/v1/namespaces/${name}/configmaps`, { metadata: { name: "dormouse-state" } });
}

describe("with just the rights that it asks for", () => {
  it("a scaler wakes, puts to sleep, diverts, gives back, keeps order and tells what is wrong", async () => {
    const scene = await openScene({ withoutScaler: true });
    await makeState(scene);
    const kubeconfig = await grant(scene, rightsOf(scene));
    const scaler = await scene.openScaler({ kubeconfig });
    await scene.make("web", { replicas: 0 });
    const ref = { namespace: scene.namespace.name, name: "web" };
    await expect.poll(() => scene.slice("web"), soon).toBeDefined();
    const wake = await scaler.setScale(ref, 1);
    await expect.poll(() => scaler.resolveTargets(ref, undefined), soon).toHaveLength(1);
    await scaler.routeTraffic?.(ref, "dlx", { version: wake.version });
    expect(await scene.endpoints("web")).toEqual([scene.dlx.address]);
    await scaler.routeTraffic?.(ref, "resource", { version: wake.version });
    expect(await scene.endpoints("web")).toEqual([]);
    await scaler.setScale(ref, 0);
    await expect.poll(() => scene.events("web", "DormouseSleep"), soon).toHaveLength(1);
    await scene.patchWorkload("web", { metadata: { annotations: { "dormouse.dev/idle-after": "5" } } });
    await expect.poll(() => scene.events("web", "DormouseRefused"), soon).toHaveLength(1);
    await scene.patchWorkload("web", { metadata: { annotations: { "dormouse.dev/enabled": null } } });
    await expect.poll(() => scene.slice("web"), soon).toBeUndefined();
    await expect.poll(async () => (await scene.workload("web")).spec.replicas, soon).toBe(1);
  });

  it("a scaler of a DLX, which keeps no order, wakes and gives back what another one diverted", async () => {
    const scene = await openScene();
    await scene.make("web", { replicas: 1 });
    await expect.poll(async () => (await scene.listed("web"))?.ready, soon).toBe(1);
    await scene.putToSleep("web");
    const kubeconfig = await grant(scene, rightsOf(scene, false));
    const scaler = await scene.openScaler({ kubeconfig, keep: false });
    const ref = { namespace: scene.namespace.name, name: "web" };
    const { version } = await scaler.setScale(ref, 1);
    await expect.poll(() => scaler.resolveTargets(ref, undefined), soon).toHaveLength(1);
    await scaler.routeTraffic?.(ref, "resource", { version });
    expect(await scene.endpoints("web")).toEqual([]);
    expect((await scene.listed("web"))?.routedTo).toBe("resource");
  });
});

describe("a scaler that lacks rights", () => {
  it("does not open, and names each with the rule that would grant it", async () => {
    const scene = await openScene({ withoutScaler: true });
    const { name } = scene.namespace;
    const rights = rightsOf(scene)
      .filter(({ resource }) => resource !== "services")
      .map((right) => (right.resource === "deployments" ? { ...right, verbs: ["get", "list", "watch"] } : right));
    const kubeconfig = await grant(scene, rights);
    const opening = scene.openScaler({ kubeconfig });
    const error: unknown = await opening.catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "SCALER_FORBIDDEN", retryable: false });
    const { message } = error as Error;
    expect(message).toContain(`{ apiGroups: ["apps"], resources: [deployments], verbs: [patch] } in namespace ${name}`);
    expect(message).toContain(
      `{ apiGroups: [""], resources: [services], verbs: [get, list, watch, patch] } in namespace ${name}`,
    );
    expect(message).not.toContain("statefulsets");
  });

  it("for all namespaces is told that its Role is not enough", async () => {
    const scene = await openScene({ withoutScaler: true });
    const kubeconfig = await grant(scene, rightsOf(scene));
    const opening = scene.openScaler({ kubeconfig, namespaces: undefined });
    await expect(opening).rejects.toMatchObject({
      code: "SCALER_FORBIDDEN",
      message: expect.stringContaining(
        "resources: [deployments], verbs: [get, list, watch, patch] } in all namespaces",
      ) as string,
    });
  });
});
