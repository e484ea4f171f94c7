import type { ApiList, ApiObject } from "@dormouse/test-kubernetes";
import { expect, it } from "vitest";
import { deployment, service } from "./manifests.ts";
import { openScene, type Scene, type SliceSeen } from "./open-scene.ts";

const count = 200;
const soon = { timeout: 90_000, interval: 250 };

it(
  "two scalers that keep the same namespace give no port to two Services, and come to rest",
  { timeout: 180_000 },
  async () => {
    const scene = await openScene({ ports: count + 20, withoutScaler: true });
    await Promise.all([scene.openScaler(), scene.openScaler()]);
    const { api, name } = scene.namespace;
    const names = Array.from({ length: count }, (_, index) => `web-${String(index)}`);
    const make = async (each: string): Promise<void> => {
      await api.post(`/api/v1/namespaces/${name}/services`, service(each));
      await api.post(`/apis/apps/v1/namespaces/${name}/deployments`, deployment(each));
    };
    for (let from = 0; from < count; from += 20) await Promise.all(names.slice(from, from + 20).map(make));
    await expect.poll(async () => (await slices(scene)).length, soon).toBe(count);
    const ports = (await slices(scene)).flatMap((slice) => slice.ports ?? []).map(({ port }) => port);
    expect(ports).toHaveLength(count);
    expect(new Set(ports).size).toBe(count);
    const versions = async (): Promise<string> => {
      const all: readonly ApiObject[] = [
        ...(await slices(scene)),
        ...(await api.get<ApiList>(`/api/v1/namespaces/${name}/services`)).items,
        await api.get(`/api/v1/namespaces/${name}/configmaps/dormouse-state`),
      ];
      return all.map(({ metadata }) => `${metadata.uid}=${metadata.resourceVersion}`).join(" ");
    };
    let last = "";
    const isAtRest = async (): Promise<boolean> => {
      const now = await versions();
      const isSame = now === last;
      last = now;
      return isSame;
    };
    await expect.poll(isAtRest, { timeout: 60_000, interval: 3_000 }).toBe(true);
    const { data } = await api.get<ApiObject & { readonly data: Readonly<Record<string, string>> }>(
      `/api/v1/namespaces/${name}/configmaps/dormouse-state`,
    );
    for (const slice of await slices(scene)) {
      const of = slice.metadata.labels?.["kubernetes.io/service-name"];
      expect(data[String(slice.ports?.[0]?.port)]).toBe(`${name}/${String(of)}/http`);
    }
  },
);

async function slices({ namespace, dlx }: Scene): Promise<readonly SliceSeen[]> {
  const selector = encodeURIComponent("endpointslice.kubernetes.io/managed-by=dormouse.dev");
  return (await namespace.api.get<ApiList<SliceSeen>>(`${dlx.slicesPath}?labelSelector=${selector}`)).items;
}
