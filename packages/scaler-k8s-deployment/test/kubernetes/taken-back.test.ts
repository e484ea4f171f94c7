import { describe, expect, it } from "vitest";
import { openScene, type Scene, undefinedIfMissing } from "./open-scene.ts";

const soon = { timeout: 30_000, interval: 50 };
/**
 * Kubernetes' own garbage collector. It pauses for half a minute and more whenever kinds come or go, and tests beside
 * this one install and remove CRDs.
 */
const collected = { timeout: 150_000, interval: 50 };

async function openAsleep(replicas: number): Promise<Scene> {
  const scene = await openScene();
  await scene.make("web", { replicas });
  await expect.poll(async () => (await scene.listed("web"))?.ready, soon).toBe(replicas);
  await scene.putToSleep("web");
  await expect.poll(() => scene.pods("web"), soon).toEqual([]);
  return scene;
}

describe("a workload that its owner takes back", () => {
  it.each([
    ["by removing the annotation", null],
    ["by setting it to false", "false"],
  ])("while it sleeps is woken as it was, and nothing stays behind: %s", async (_, enabled) => {
    const scene = await openAsleep(2);
    await scene.patchWorkload("web", { metadata: { annotations: { "dormouse.dev/enabled": enabled } } });
    await expect.poll(async () => (await scene.workload("web")).spec.replicas, soon).toBe(2);
    await expect.poll(() => scene.slice("web"), soon).toBeUndefined();
    const service = await scene.service("web");
    expect(service.spec.selector).toEqual({ app: "web" });
    expect(service.metadata.annotations ?? {}).toEqual({});
    const left = async (): Promise<readonly string[]> =>
      Object.keys((await scene.workload("web")).metadata.annotations ?? {}).filter((key) =>
        /dormouse.dev\/(epoch|wake)/.test(key),
      );
    await expect.poll(left, soon).toEqual([]);
    await expect.poll(() => scene.listed("web"), soon).toBeUndefined();
    expect((await scene.pods("web")).filter(({ metadata }) => metadata.deletionTimestamp === undefined)).toHaveLength(
      2,
    );
  });

  it("is not stopped by a sleep that has begun before", async () => {
    const scene = await openScene();
    await scene.make("web", { replicas: 1 });
    await expect.poll(async () => (await scene.listed("web"))?.ready, soon).toBe(1);
    const ref = { namespace: scene.namespace.name, name: "web" };
    const mark = await scene.scaler.setScale(ref, 1);
    await scene.patchWorkload("web", { metadata: { annotations: { "dormouse.dev/enabled": null } } });
    await expect(scene.scaler.setScale(ref, 0, { ifVersion: mark.version })).rejects.toMatchObject({
      code: expect.stringMatching(/SCALER_(CONFLICT|NOT_FOUND)/) as string,
    });
    expect((await scene.workload("web")).spec.replicas).toBe(1);
  });

  it("keeps its traffic with the DLXs until its pods are in it", async () => {
    let mayStart = false;
    const scene = await openScene({ mayStart: () => mayStart });
    mayStart = true;
    await scene.make("web", { replicas: 1 });
    await expect.poll(async () => (await scene.listed("web"))?.ready, soon).toBe(1);
    await scene.putToSleep("web");
    mayStart = false;
    await scene.patchWorkload("web", { metadata: { annotations: { "dormouse.dev/enabled": null } } });
    await expect.poll(async () => (await scene.workload("web")).spec.replicas, soon).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(await scene.endpoints("web")).toEqual([scene.dlx.address]);
    mayStart = true;
    await expect.poll(() => scene.endpoints("web"), soon).toEqual([]);
    // Nodes learn of it later, and the DLXs listen for it meanwhile.
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect((await scene.listed("web"))?.ports[0]?.listen).toBeDefined();
    await expect.poll(() => scene.slice("web"), soon).toBeUndefined();
    expect((await scene.workload("web")).status.readyReplicas).toBe(1);
  });
});

describe("what is deleted while it sleeps", () => {
  it("leaves no slice and no key behind where it is the workload", async () => {
    const scene = await openAsleep(1);
    const { api, name } = scene.namespace;
    await api.delete(`/apis/apps/v1/namespaces/${name}/deployments/web`);
    await expect.poll(() => scene.slice("web"), soon).toBeUndefined();
    const service = await scene.service("web");
    expect(service.spec.selector).toEqual({ app: "web" });
    expect(service.metadata.annotations ?? {}).toEqual({});
  });

  it("is followed to a Service that is made anew, with the ports it had", { timeout: 240_000 }, async () => {
    const scene = await openAsleep(1);
    const before = await scene.slice("web");
    const { api, name } = scene.namespace;
    await api.delete(`/api/v1/namespaces/${name}/services/web`);
    await expect.poll(() => api.get(scene.slicePath("web")).catch(undefinedIfMissing), collected).toBeUndefined();
    await expect.poll(async () => (await scene.listed("web"))?.refusal?.message, soon).toMatch(/no Service selects/);
    await api.post(`/api/v1/namespaces/${name}/services`, {
      metadata: { name: "web" },
      spec: { selector: { app: "web" }, ports: [{ name: "http", port: 80, targetPort: 8080 }] },
    });
    await expect.poll(async () => (await scene.slice("web"))?.ports, soon).toEqual(before?.ports);
    // As the host's reconciler does with whatever sleeps undiverted.
    await expect.poll(async () => (await scene.listed("web"))?.routedTo, soon).toBe("resource");
    const ref = { namespace: name, name: "web" };
    const { version } = await scene.scaler.setScale(ref, 0);
    await scene.scaler.routeTraffic?.(ref, "dlx", { version });
    expect(await scene.endpoints("web")).toEqual([scene.dlx.address]);
    expect((await scene.listed("web"))?.wakeReplicas).toBe(1);
  });
});
