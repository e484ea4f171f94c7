import { ApiFailure, type TestNamespace } from "@dormouse/test-kubernetes";
import { describe, expect, it } from "vitest";
import { deployment, service } from "./manifests.ts";
import { openScene, type Scene } from "./open-scene.ts";

const soon = { timeout: 20_000, interval: 50 };

/** What is wrong, how it is made, and the words in which it is told. */
interface Wrong {
  readonly what: string;
  readonly make: (scene: Scene) => Promise<void>;
  readonly told: RegExp;
}

const annotated = (key: string, value: string) => (scene: Scene) =>
  scene.make("web", { replicas: 2, annotations: { [`dormouse.dev/${key}`]: value } });

const behind = (spec: object) => (scene: Scene) => scene.make("web", { replicas: 2, service: spec });

const cases: readonly Wrong[] = [
  {
    what: "a named Service that selects other pods",
    make: (scene) =>
      scene.make("web", {
        replicas: 2,
        annotations: { "dormouse.dev/service": "web" },
        service: { selector: { app: "another" } },
      }),
    told: /the selector of Service web does not match the labels of its pods/,
  },
  {
    what: "a named Service that is not there",
    make: annotated("service", "wbe"),
    told: /there is no Service "wbe" in test-\w+; correct dormouse\.dev\/service/,
  },
  {
    what: "no Service that selects its pods",
    make: behind({ selector: { app: "another" } }),
    told: /no Service selects its pods; name one by dormouse\.dev\/service, or give hosts by dormouse\.dev\/hosts/,
  },
  {
    what: "two workloads behind one Service",
    make: async (scene) => {
      const second = deployment("second", { labels: { tier: "front" } });
      await scene.namespace.api.post(pathOf(scene.namespace, "deployments"), second);
      await scene.make("web", { replicas: 2, labels: { tier: "front" }, service: { selector: { tier: "front" } } });
    },
    told: /Service web also selects the pods of Deployment second; give each workload a Service of its own/,
  },
  { what: "a headless Service", make: behind({ clusterIP: "None" }), told: /Service web is headless/ },
  {
    what: "an ExternalName",
    make: (scene) =>
      scene.make("web", {
        replicas: 2,
        annotations: { "dormouse.dev/service": "web" },
        service: { type: "ExternalName", externalName: "shop.example.com" },
      }),
    told: /Service web is an ExternalName/,
  },
  {
    what: "two Services",
    make: async (scene) => {
      const own = service("web-too", { selector: { app: "web" } });
      await scene.namespace.api.post(pathOf(scene.namespace, "services"), own);
      await scene.make("web", { replicas: 2 });
    },
    told: /several Services select its pods: web, web-too; name one by dormouse\.dev\/service/,
  },
  {
    what: "a named port that no container has",
    make: behind({ ports: [{ name: "http", port: 80, targetPort: "main" }] }),
    told: /port http of Service web leads to "main", and no container has a port of that name/,
  },
  {
    what: "a port that is UDP",
    make: behind({
      ports: [
        { name: "http", port: 80 },
        { name: "dns", port: 53, protocol: "UDP" },
      ],
    }),
    told: /Service web has ports that a DLX cannot serve: dns \(UDP\); move them/,
  },
  {
    what: "ports that are no HTTP",
    make: behind({ ports: [{ name: "redis", port: 6379 }] }),
    told: /Service web has no port that takes HTTP\/1\.1, only redis \(TCP that is not HTTP\/1\.1\)/,
  },
  {
    what: "externalTrafficPolicy Local",
    make: behind({ type: "NodePort", externalTrafficPolicy: "Local" }),
    told: /Service web has externalTrafficPolicy Local: nodes without a DLX would refuse its traffic/,
  },
  {
    what: "drain none without direct",
    make: annotated("drain", "none"),
    told: /drain: none needs dormouse\.dev\/routing: direct/,
  },
  { what: "a drain that is neither", make: annotated("drain", "later"), told: /drain: "later" is neither/ },
  { what: "a duration without a unit", make: annotated("idle-after", "5"), told: /dormouse\.dev\/idle-after/ },
  { what: "an unknown key", make: annotated("idle-afer", "5m"), told: /dormouse\.dev\/idle-afer/ },
  { what: "idle rules that are no JSON", make: annotated("idle-rules", "[{"), told: /dormouse\.dev\/idle-rules/ },
  {
    what: "a port that it does not have",
    make: annotated("port", "admin"),
    told: /there is no port "admin"; it has http/,
  },
];

describe("a workload about which something is wrong", () => {
  it.each(cases)("is left alone and told of: $what", async ({ make, told }) => {
    const scene = await openScene({ withoutScaler: true });
    await make(scene);
    const scaler = await scene.openScaler();
    await expect.poll(() => scene.events("web", "DormouseRefused"), soon).toHaveLength(1);
    expect((await scene.events("web", "DormouseRefused"))[0]).toMatch(told);
    const resource = (await scaler.listResources()).find(({ ref }) => ref.name === "web");
    expect(resource?.refusal?.message).toMatch(told);
    expect(resource?.policy.enabled).toBe(false);
    expect((await scene.workload("web")).spec.replicas).toBe(2);
    expect(await scene.slice("web")).toBeUndefined();
    expect((await scene.workload("web")).metadata.annotations).not.toHaveProperty("dormouse.dev/epoch");
  });

  it("is left alone where a KEDA ScaledObject scales it", async () => {
    const scene = await openScene({ withoutScaler: true });
    const { api, name } = scene.namespace;
    await makeScaledObjects(scene.namespace);
    await scene.make("web", { replicas: 1 });
    const spec = { scaleTargetRef: { name: "web" } };
    const path = `/apis/keda.sh/v1alpha1/namespaces/${name}/scaledobjects`;
    await expect
      .poll(
        () =>
          api
            .post(path, { apiVersion: "keda.sh/v1alpha1", kind: "ScaledObject", metadata: { name: "by-queue" }, spec })
            .then(
              () => true,
              () => false,
            ),
        soon,
      )
      .toBe(true);
    const scaler = await scene.openScaler();
    const refusal = async () => (await scaler.listResources())[0]?.refusal?.message;
    await expect.poll(refusal, soon).toMatch(/the KEDA ScaledObject by-queue scales it already/);
    await expect.poll(() => scene.events("web", "DormouseRefused"), soon).toHaveLength(1);
    await api.delete(`${path}/by-queue`);
    await expect.poll(refusal, soon).toBeUndefined();
    await expect.poll(() => scene.slice("web"), soon).toBeDefined();
  });

  it("is managed as soon as it has been put right, and told of again when it is wrong anew", async () => {
    const scene = await openScene();
    await annotated("idle-after", "5")(scene);
    await expect.poll(() => scene.events("web", "DormouseRefused"), soon).toHaveLength(1);
    await scene.patchWorkload("web", { metadata: { annotations: { "dormouse.dev/idle-after": "5m" } } });
    await expect.poll(async () => (await scene.listed("web"))?.policy.enabled, soon).toBe(true);
    await expect.poll(() => scene.slice("web"), soon).toBeDefined();
    await scene.patchWorkload("web", { metadata: { annotations: { "dormouse.dev/idle-after": "5" } } });
    await expect.poll(() => scene.events("web", "DormouseRefused"), soon).toHaveLength(2);
  });

  it("is not called wrong while its Service is still to come", async () => {
    const scene = await openScene();
    await scene.namespace.api.post(pathOf(scene.namespace, "deployments"), deployment("web"));
    await scene.namespace.api.post(pathOf(scene.namespace, "services"), service("web"));
    await expect.poll(() => scene.slice("web"), soon).toBeDefined();
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(await scene.events("web", "DormouseRefused")).toEqual([]);
  });
});

describe("a workload that sleeps when something becomes wrong", () => {
  it.each([
    [
      "an annotation",
      (scene: Scene) => scene.patchWorkload("web", { metadata: { annotations: { "dormouse.dev/idle-after": "5" } } }),
    ],
    [
      "a second Service",
      async ({ namespace }: Scene) => {
        await namespace.api.post(pathOf(namespace, "services"), service("web-too", { selector: { app: "web" } }));
      },
    ],
    [
      "the name of its Service",
      (scene: Scene) => scene.patchWorkload("web", { metadata: { annotations: { "dormouse.dev/service": "gone" } } }),
    ],
  ])("keeps its DLXs and can be woken: %s", async (_, spoil) => {
    const scene = await openScene();
    await scene.make("web", { replicas: 1 });
    await expect.poll(async () => (await scene.listed("web"))?.ready, soon).toBe(1);
    await scene.putToSleep("web");
    const before = await scene.slice("web");
    await spoil(scene);
    await expect.poll(async () => (await scene.listed("web"))?.refusal, soon).toBeDefined();
    const resource = await scene.listed("web");
    expect(resource?.routedTo).toBe("dlx");
    expect(resource?.ports[0]?.listen).toBe(`0.0.0.0:${String(before?.ports?.[0]?.port)}`);
    expect(await scene.endpoints("web")).toEqual([scene.dlx.address]);
    const ref = { namespace: scene.namespace.name, name: "web" };
    await scene.scaler.setScale(ref, 1);
    await expect.poll(() => scene.scaler.resolveTargets(ref, undefined), soon).toHaveLength(1);
    // Nobody manages it any more, so its traffic goes back to it.
    await expect.poll(() => scene.endpoints("web"), soon).toEqual([]);
    expect((await scene.service("web")).spec.selector).toEqual({ app: "web" });
  });
});

function pathOf({ name }: TestNamespace, plural: "deployments" | "services"): string {
  return `${plural === "services" ? "/api/v1" : "/apis/apps/v1"}/namespaces/${name}/${plural}`;
}

/** As KEDA would install it, without a schema. */
async function makeScaledObjects({ api }: TestNamespace): Promise<void> {
  const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
  await api
    .post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", {
      metadata: { name: "scaledobjects.keda.sh" },
      spec: {
        group: "keda.sh",
        scope: "Namespaced",
        names: {
          plural: "scaledobjects",
          singular: "scaledobject",
          kind: "ScaledObject",
          listKind: "ScaledObjectList",
        },
        versions: [{ name: "v1alpha1", served: true, storage: true, schema }],
      },
    })
    .catch((error: unknown) => {
      if (!(error instanceof ApiFailure) || error.status !== 409) throw error;
    });
}
