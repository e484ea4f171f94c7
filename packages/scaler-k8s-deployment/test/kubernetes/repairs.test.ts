import { describe, expect, it } from "vitest";
import { divertedKey, openScene, type Scene } from "./open-scene.ts";

const soon = { timeout: 20_000, interval: 50 };
/** An address where nobody answers. */
const nowhere = "192.0.2.250";

async function openAsleep(): Promise<Scene> {
  const scene = await openScene();
  await scene.make("web", { replicas: 1 });
  await expect.poll(async () => (await scene.listed("web"))?.ready, soon).toBe(1);
  await scene.putToSleep("web");
  await expect.poll(() => scene.pods("web"), soon).toEqual([]);
  return scene;
}

/** Awake, with the DLXs in its traffic and the pods out of it. */
async function openDiverted(): Promise<Scene> {
  const scene = await openScene();
  await scene.make("web", { replicas: 1 });
  await expect.poll(async () => (await scene.listed("web"))?.ready, soon).toBe(1);
  const ref = { namespace: scene.namespace.name, name: "web" };
  const { version } = await scene.scaler.setScale(ref, 1);
  await scene.scaler.routeTraffic?.(ref, "dlx", { version });
  expect((await scene.service("web")).spec.selector).toHaveProperty(divertedKey);
  return scene;
}

const hasKey = async (scene: Scene): Promise<boolean> => divertedKey in (await scene.service("web")).spec.selector;

describe("what somebody changes by hand while a workload sleeps is repaired", () => {
  it("a slice that was deleted, with the ports it had", async () => {
    const scene = await openAsleep();
    const before = await scene.slice("web");
    await scene.namespace.api.delete(scene.slicePath("web"));
    await expect.poll(() => scene.endpoints("web"), soon).toEqual([scene.dlx.address]);
    const after = await scene.slice("web");
    expect(after?.metadata.uid).not.toBe(before?.metadata.uid);
    expect(after?.ports).toEqual(before?.ports);
    await expect.poll(async () => (await scene.listed("web"))?.routedTo, soon).toBe("dlx");
  });

  it("a slice that was emptied, and one that leads elsewhere", async () => {
    const scene = await openAsleep();
    await scene.namespace.api.patch(scene.slicePath("web"), { endpoints: [] });
    await expect.poll(() => scene.endpoints("web"), soon).toEqual([scene.dlx.address]);
    await scene.namespace.api.patch(scene.slicePath("web"), {
      endpoints: [{ addresses: [nowhere], conditions: { ready: true } }],
    });
    await expect.poll(() => scene.endpoints("web"), soon).toEqual([scene.dlx.address]);
  });

  it("a port number in the slice that is another one's", async () => {
    const scene = await openAsleep();
    const before = await scene.slice("web");
    const ports = [{ name: "http", port: scene.dlx.options.ports.to, protocol: "TCP" }];
    await scene.namespace.api.patch(scene.slicePath("web"), { ports });
    await expect.poll(async () => (await scene.slice("web"))?.ports, soon).toEqual(before?.ports);
  });

  it("the selector's key", async () => {
    const scene = await openAsleep();
    await scene.patchService("web", { spec: { selector: { [divertedKey]: null } } });
    await expect.poll(() => hasKey(scene), soon).toBe(true);
    expect(await scene.endpoints("web")).toEqual([scene.dlx.address]);
  });

  it("the ConfigMap with the ports: no port is given to a second Service", async () => {
    const scene = await openAsleep();
    const before = await scene.slice("web");
    const { api, name } = scene.namespace;
    await api.delete(`/api/v1/namespaces/${name}/configmaps/dormouse-state`);
    await scene.make("second", { replicas: 0 });
    await expect.poll(() => scene.slice("second"), soon).toBeDefined();
    const second = (await scene.slice("second"))?.ports?.[0]?.port;
    expect(second).toBeGreaterThan(0);
    expect((await scene.slice("web"))?.ports).toEqual(before?.ports);
    expect(second).not.toBe(before?.ports?.[0]?.port);
  });
});

describe("the ports of a Service", () => {
  it("that are changed come and go in the slice, and those that stay keep their number", async () => {
    const scene = await openAsleep();
    const [http] = (await scene.slice("web"))?.ports ?? [];
    await scene.patchService("web", {
      spec: {
        ports: [
          { name: "http", port: 8080, targetPort: 8080 },
          { name: "admin", port: 9000, targetPort: 9000 },
        ],
      },
    });
    await expect
      .poll(async () => (await scene.slice("web"))?.ports?.map(({ name }) => name).toSorted(), soon)
      .toEqual(["admin", "http"]);
    const both = (await scene.slice("web"))?.ports ?? [];
    expect(both.find(({ name }) => name === "http")?.port).toBe(http?.port);
    await scene.patchService("web", { spec: { ports: [{ name: "http", port: 80, targetPort: 8080 }] } });
    await expect.poll(async () => (await scene.slice("web"))?.ports, soon).toEqual([http]);
    expect(await scene.endpoints("web")).toEqual([scene.dlx.address]);
  });
});

describe("DLXs that come and go", () => {
  it("are listed only once they accept connections", async () => {
    const scene = await openAsleep();
    await scene.dlx.setReady([scene.dlx.address, nowhere]);
    // The slice is looked at again and again meanwhile: the one that does not answer must not come in.
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect(await scene.endpoints("web")).toEqual([scene.dlx.address]);
    await scene.dlx.setReady([nowhere]);
    // Nobody who listens: one that is gone is as good as none, and the slice is not emptied.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(await scene.endpoints("web")).toEqual([scene.dlx.address]);
  });

  it("are not diverted to while none listens", async () => {
    const scene = await openScene();
    await scene.make("web", { replicas: 1 });
    await expect.poll(async () => (await scene.listed("web"))?.ready, soon).toBe(1);
    await scene.dlx.setListening(false);
    const ref = { namespace: scene.namespace.name, name: "web" };
    const { version } = await scene.scaler.setScale(ref, 1);
    const error = await scene.scaler.routeTraffic?.(ref, "dlx", { version }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "SCALER_UNAVAILABLE", retryable: true });
    expect(await hasKey(scene)).toBe(false);
    expect(await scene.endpoints("web")).toEqual([]);
    await scene.dlx.setListening(true);
    await scene.scaler.routeTraffic?.(ref, "dlx", { version });
    expect(await scene.endpoints("web")).toEqual([scene.dlx.address]);
  });

  it("leave the traffic to the pods while none is ready for longer than 3 s, and take it again", async () => {
    const scene = await openDiverted();
    await scene.dlx.setReady([]);
    await scene.dlx.setListening(false);
    await expect.poll(() => hasKey(scene), soon).toBe(false);
    await expect.poll(() => scene.endpoints("web"), soon).toEqual([]);
    // Ready, as far as the cluster knows, and not yet listening: the pods must not leave for it.
    await scene.dlx.setReady([scene.dlx.address]);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(await hasKey(scene)).toBe(false);
    await scene.dlx.setListening(true);
    await expect.poll(() => hasKey(scene), soon).toBe(true);
    expect(await scene.endpoints("web")).toEqual([scene.dlx.address]);
  });

  it("keep a sleeping workload's traffic, whatever happens to them", async () => {
    const scene = await openAsleep();
    await scene.dlx.setReady([]);
    await new Promise((resolve) => setTimeout(resolve, 4_500));
    expect(await scene.endpoints("web")).toEqual([scene.dlx.address]);
    expect((await scene.listed("web"))?.routedTo).toBe("dlx");
    await scene.dlx.setReady([scene.dlx.address]);
    await expect.poll(() => hasKey(scene), soon).toBe(true);
  });
});

describe("the selector's key of a workload that is awake and diverted", () => {
  it("comes back within seconds", async () => {
    const scene = await openDiverted();
    await scene.patchService("web", { spec: { selector: { [divertedKey]: null } } });
    await expect.poll(() => hasKey(scene), soon).toBe(true);
  });
});
