import { type ApiObject, testNamespace } from "@dormouse/test-kubernetes";
import { describe, expect, it, onTestFinished } from "vitest";
import { deployment } from "./manifests.ts";
import { openScene, type Scene, undefinedIfMissing } from "./open-scene.ts";

const soon = { timeout: 30_000, interval: 50 };

async function openAsleep(): Promise<Scene> {
  const scene = await openScene();
  await scene.make("web", { replicas: 2 });
  await expect.poll(async () => (await scene.listed("web"))?.ready, soon).toBe(2);
  await scene.putToSleep("web");
  return scene;
}

async function expectUntouched(scene: Scene): Promise<void> {
  expect(await scene.slice("web")).toBeUndefined();
  const { spec, metadata } = await scene.service("web");
  expect(spec.selector).toEqual({ app: "web" });
  expect(metadata.annotations ?? {}).toEqual({});
  expect(Object.keys((await scene.workload("web")).metadata.annotations ?? {}).toSorted()).toEqual([
    "deployment.kubernetes.io/revision",
    "dormouse.dev/enabled",
  ]);
}

/** A Deployment that Dormouse put to sleep, in a namespace that is taken away from under it. */
async function makeOrphan(): Promise<{ readonly namespace: string; readonly path: string }> {
  const { api, name: namespace } = await testNamespace();
  const { metadata, ...rest } = deployment("web") as ApiObject;
  const annotations = { ...metadata.annotations, "dormouse.dev/epoch": "7", "dormouse.dev/wake-replicas": "2" };
  await api.post(`/apis/apps/v1/namespaces/${namespace}/deployments`, {
    ...rest,
    metadata: { ...metadata, annotations },
  });
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments/web`;
  onTestFinished(async () => void (await api.delete(path)));
  // Without its finalizer nobody deletes what is in a namespace: it is marked first, and goes at once then.
  await api.put(`/api/v1/namespaces/${namespace}/finalize`, {
    ...(await api.get(`/api/v1/namespaces/${namespace}`)),
    spec: { finalizers: [] },
  });
  for (let time = 0; time < 2; time += 1) await api.delete(`/api/v1/namespaces/${namespace}`);
  const write = () => api.patch(`${path}?dryRun=All`, { spec: { replicas: 1 } });
  await expect.poll(() => write().catch(undefinedIfMissing), soon).toBeUndefined();
  return { namespace, path };
}

describe("handing everything back", () => {
  it("wakes what sleeps as it was, and leaves nothing behind", async () => {
    const scene = await openAsleep();
    await scene.scaler.release?.();
    expect((await scene.workload("web")).spec.replicas).toBe(2);
    await expectUntouched(scene);
  });

  it("does not fail for a workload whose namespace is gone and which the server lists all the same", async () => {
    const scene = await openAsleep();
    const orphan = await makeOrphan();
    const scaler = await scene.openScaler({ namespaces: [scene.namespace.name, orphan.namespace] });
    await expect.poll(async () => (await scaler.listResources()).length, soon).toBe(2);
    await scaler.release?.();
    await expect(scene.namespace.api.get(orphan.path)).resolves.toMatchObject({ spec: { replicas: 0 } });
    expect((await scene.workload("web")).spec.replicas).toBe(2);
    await expectUntouched(scene);
  });

  it("does not wait for pods of a workload that is being deleted, which never come", async () => {
    const scene = await openAsleep();
    const { api, name } = scene.namespace;
    const path = `/apis/apps/v1/namespaces/${name}/deployments/web`;
    const finalizer = (finalizers: readonly string[] | null) =>
      scene.patchWorkload("web", { metadata: { finalizers } });
    await finalizer(["test.dormouse.dev/kept"]);
    await api.delete(path);
    onTestFinished(() => finalizer(null));
    await scene.scaler.release?.();
    expect(await scene.pods("web")).toEqual([]);
    await expectUntouched(scene);
  });
});
