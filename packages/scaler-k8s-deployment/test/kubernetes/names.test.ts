import { expect, it } from "vitest";
import { deployment, service } from "./manifests.ts";
import { openScene } from "./open-scene.ts";

const soon = { timeout: 30_000, interval: 50 };

it("names as long and as odd as Kubernetes allows are managed, woken, told of and diverted", async () => {
  const scene = await openScene();
  const { api, name: namespace } = scene.namespace;
  // A ReplicaSet's name is ten characters and a hyphen longer, and 253 are the most. The 200th is a dot.
  const long = `${"a.b-1".padEnd(199, "x")}.${"y".repeat(42)}`;
  const services = ["s".repeat(63), `${"s".repeat(62)}t`];
  const labels = ["one", "two"];
  const workloads = [long, `${long.slice(0, -1)}z`];
  for (const [index, app] of labels.entries()) {
    const spec = { selector: { app } };
    await api.post(`/api/v1/namespaces/${namespace}/services`, service(services[index] ?? "", spec));
    const manifest = deployment(app) as { readonly metadata: object };
    await api.post(`/apis/apps/v1/namespaces/${namespace}/deployments`, {
      ...manifest,
      metadata: { ...manifest.metadata, name: workloads[index] },
    });
  }
  for (const each of services) await expect.poll(() => scene.slice(each), soon).toBeDefined();
  const ports = await Promise.all(services.map(async (each) => (await scene.slice(each))?.ports?.[0]?.port));
  expect(new Set(ports).size).toBe(2);
  const ref = { namespace, name: long };
  const { version } = await scene.scaler.setScale(ref, 1);
  await expect.poll(() => scene.scaler.resolveTargets(ref, undefined), soon).toHaveLength(1);
  await expect.poll(() => scene.events(long, "DormouseWake"), soon).toHaveLength(1);
  await scene.scaler.routeTraffic?.(ref, "dlx", { version });
  expect(await scene.endpoints(services[0] ?? "")).toEqual([scene.dlx.address]);
  expect(await scene.endpoints(services[1] ?? "")).toEqual([]);
});
