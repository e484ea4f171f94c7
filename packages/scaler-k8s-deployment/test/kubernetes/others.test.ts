import type { LocalRef } from "@dormouse/core";
import { ApiFailure } from "@dormouse/test-kubernetes";
import { describe, expect, inject, it } from "vitest";
import { openGateway } from "./open-gateway.ts";
import { divertedKey, openScene, type Scene } from "./open-scene.ts";

const soon = { timeout: 30_000, interval: 50 };

async function openAwake(replicas = 1): Promise<{ readonly scene: Scene; readonly ref: LocalRef }> {
  const scene = await openScene();
  await scene.make("web", { replicas });
  await expect.poll(async () => (await scene.listed("web"))?.ready, soon).toBe(replicas);
  return { scene, ref: { namespace: scene.namespace.name, name: "web" } };
}

const restart = (scene: Scene) =>
  scene.patchWorkload("web", {
    spec: {
      template: { metadata: { annotations: { "kubectl.kubernetes.io/restartedAt": new Date().toISOString() } } },
    },
  });

describe("a rollout", () => {
  it("while awake replaces the targets, moves the version and leaves the route", async () => {
    const { scene, ref } = await openAwake();
    const before = await scene.scaler.getResource(ref);
    const [old] = await scene.scaler.resolveTargets(ref, undefined);
    await restart(scene);
    const ids = async (): Promise<readonly string[]> =>
      (await scene.scaler.resolveTargets(ref, undefined)).map(({ id }) => id);
    await expect
      .poll(async () => (await ids()).length === 1 && !(await ids()).includes(old?.id ?? ""), soon)
      .toBe(true);
    const after = await scene.scaler.getResource(ref);
    expect(after?.version).not.toBe(before?.version);
    expect(after).toMatchObject({ desired: 1, routedTo: "resource" });
  });

  it("while asleep wakes nobody, and the next wake has the new pods", async () => {
    const { scene, ref } = await openAwake();
    await scene.putToSleep("web");
    await expect.poll(() => scene.pods("web"), soon).toEqual([]);
    await restart(scene);
    const asleep = await scene.scaler.getResource(ref);
    expect(asleep).toMatchObject({ desired: 0, routedTo: "dlx" });
    await scene.scaler.setScale(ref, 1, { ifVersion: asleep?.version ?? "" });
    await expect.poll(() => scene.scaler.resolveTargets(ref, undefined), soon).toHaveLength(1);
  });

  it("while awake and diverted keeps the pods out of the traffic", async () => {
    const { scene, ref } = await openAwake();
    const { version } = await scene.scaler.setScale(ref, 1);
    await scene.scaler.routeTraffic?.(ref, "dlx", { version });
    const [old] = await scene.pods("web");
    await restart(scene);
    await expect
      .poll(async () => (await scene.pods("web")).map(({ metadata }) => metadata.uid), soon)
      .not.toContain(old?.metadata.uid);
    expect((await scene.service("web")).spec.selector).toHaveProperty(divertedKey);
    expect(await scene.endpoints("web")).toEqual([scene.dlx.address]);
  });
});

describe("a count that a person sets", () => {
  it("is respected and remembered: 1 to 3, 3 to 0, 0 to 2", async () => {
    const { scene, ref } = await openAwake();
    await scene.patchWorkload("web", { spec: { replicas: 3 } });
    await expect.poll(async () => (await scene.listed("web"))?.ready, soon).toBe(3);
    expect(await scene.scaler.getResource(ref)).toMatchObject({ desired: 3, wakeReplicas: 3 });
    const remembered = async () => (await scene.workload("web")).metadata.annotations?.["dormouse.dev/wake-replicas"];
    await expect.poll(remembered, soon).toBe("3");
    await scene.patchWorkload("web", { spec: { replicas: 0 } });
    await expect.poll(async () => (await scene.listed("web"))?.ready, soon).toBe(0);
    expect(await scene.scaler.getResource(ref)).toMatchObject({ desired: 0, wakeReplicas: 3 });
    await scene.patchWorkload("web", { spec: { replicas: 2 } });
    await expect.poll(async () => (await scene.listed("web"))?.ready, soon).toBe(2);
    expect(await scene.scaler.getResource(ref)).toMatchObject({ desired: 2, wakeReplicas: 2 });
    expect((await scene.workload("web")).spec.replicas).toBe(2);
  });

  it("makes a sleep that has begun end in a conflict", async () => {
    const { scene, ref } = await openAwake();
    const { version } = await scene.scaler.setScale(ref, 1);
    await scene.patchWorkload("web", { spec: { replicas: 2 } });
    await expect(scene.scaler.setScale(ref, 0, { ifVersion: version })).rejects.toMatchObject({
      code: "SCALER_CONFLICT",
    });
    expect((await scene.workload("web")).spec.replicas).toBe(2);
  });
});

describe("a HorizontalPodAutoscaler on the same workload", () => {
  it.runIf(inject("kubernetes").hasControllers)("leaves a workload alone that sleeps", async () => {
    const { scene } = await openAwake();
    const { api, name } = scene.namespace;
    await scene.putToSleep("web");
    const path = `/apis/autoscaling/v1/namespaces/${name}/horizontalpodautoscalers`;
    const scaleTargetRef = { apiVersion: "apps/v1", kind: "Deployment", name: "web" };
    await api.post(path, { metadata: { name: "web" }, spec: { scaleTargetRef, minReplicas: 1, maxReplicas: 5 } });
    const conditions = async (): Promise<string> =>
      (await api.get(`${path}/web`)).metadata.annotations?.["autoscaling.alpha.kubernetes.io/conditions"] ?? "";
    await expect.poll(conditions, { timeout: 50_000, interval: 500 }).toContain("ScalingDisabled");
    expect((await scene.workload("web")).spec.replicas).toBe(0);
    expect((await scene.listed("web"))?.routedTo).toBe("dlx");
  });
});

describe("a tool that reverts what Dormouse writes, ten times a second", () => {
  it(
    "neither brings a version back nor makes a sleeping workload unreachable, and is not fought without end",
    { timeout: 180_000 },
    async () => {
      const gateway = await openGateway(inject("kubernetes").kubeconfig);
      const scene = await openScene({ kubeconfig: gateway.kubeconfig });
      const ref = { namespace: scene.namespace.name, name: "web" };
      await scene.make("web", { replicas: 2 });
      await expect.poll(async () => (await scene.listed("web"))?.ready, soon).toBe(2);
      await scene.putToSleep("web");
      const revert = async (): Promise<void> => {
        const annotations = { "dormouse.dev/epoch": "7", "dormouse.dev/wake-replicas": "1" };
        await again(() => scene.patchWorkload("web", { metadata: { annotations } }));
        await again(() =>
          scene.patchService("web", {
            metadata: { annotations: { "dormouse.dev/route": null } },
            spec: { selector: { [divertedKey]: null } },
          }),
        );
      };
      const stop = new AbortController();
      const unreachable: string[] = [];
      const loop = async (): Promise<void> => {
        while (!stop.signal.aborted) {
          await revert();
          const isAsleep = (await scene.workload("web")).spec.replicas === 0;
          if (isAsleep && (await scene.endpoints("web")).length === 0) unreachable.push("asleep without an endpoint");
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
      };
      const reverting = loop();
      try {
        await revert();
        const before = gateway.writes().length;
        await new Promise((resolve) => setTimeout(resolve, 8_000));
        // Eighty reverts; each repair is answered ever later.
        expect(gateway.writes().length - before).toBeLessThan(15);
        expect(gateway.writes().length - before).toBeGreaterThan(0);
        const seen = new Map<string, string>();
        const note = ({ version, state }: { readonly version: string; readonly state: string }): void => {
          expect(seen.get(version) ?? state).toBe(state);
          seen.set(version, state);
        };
        const given = new Set<string>();
        for (let round = 0; round < 20; round += 1) {
          const replicas = round % 2 === 0 ? 1 : 0;
          const { version } = await scene.scaler.setScale(ref, replicas);
          expect(given).not.toContain(version);
          given.add(version);
          note({ version, state: String(replicas) });
          const read = await scene.scaler.getResource(ref);
          note({ version: read?.version ?? "", state: String(read?.desired) });
          // What a sleep holds on to is gone once the tool was there.
          await revert();
          await expect(scene.scaler.setScale(ref, replicas, { ifVersion: version })).rejects.toMatchObject({
            code: "SCALER_CONFLICT",
          });
          // As the host's reconciler does, whatever comes of it.
          const mark = await scene.scaler.setScale(ref, replicas);
          await scene.scaler.routeTraffic?.(ref, "dlx", { version: mark.version }).catch(() => {});
          expect(await scene.endpoints("web")).toEqual([scene.dlx.address]);
        }
      } finally {
        stop.abort();
        await reverting;
      }
      expect(unreachable).toEqual([]);
    },
  );
});

/** Until nobody else writes in the same moment. */
async function again(write: () => Promise<void>): Promise<void> {
  for (let isWritten = false; !isWritten;) {
    isWritten = await write().then(
      () => true,
      (error: unknown) => {
        if (error instanceof ApiFailure && error.status === 409) return false;
        throw error;
      },
    );
  }
}
