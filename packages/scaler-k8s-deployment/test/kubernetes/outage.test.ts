import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, inject, it, onTestFinished } from "vitest";
import { type FlakyLink, openFlakyLink } from "./flaky-link.ts";
import { openScene, type Scene } from "./open-scene.ts";

const soon = { timeout: 60_000, interval: 100 };

async function openBehindLink(): Promise<{ readonly scene: Scene; readonly link: FlakyLink }> {
  const folder = await mkdtemp(join(tmpdir(), "dormouse-link-"));
  const link = await openFlakyLink(inject("kubernetes").kubeconfig, folder);
  onTestFinished(async () => {
    link.set("open");
    await link[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });
  return { link, scene: await openScene({ kubeconfig: link.kubeconfig }) };
}

const epochOf = async (scene: Scene) => (await scene.workload("web")).metadata.annotations?.["dormouse.dev/epoch"];

describe.each([
  ["cut", /^SCALER_UNAVAILABLE$/],
  ["stalled", /^SCALER_(ABORTED|TIMEOUT)$/],
] as const)("while the API server is %s", (state, codes) => {
  it(
    "a wake rejects so that it can be tried again, and goes on after it; the watch catches up",
    { timeout: 120_000 },
    async () => {
      const { scene, link } = await openBehindLink();
      await scene.make("web", { replicas: 0 });
      const ref = { namespace: scene.namespace.name, name: "web" };
      await expect.poll(() => scene.slice("web"), soon).toBeDefined();
      const before = await epochOf(scene);
      link.set(state);
      const signal = AbortSignal.timeout(4_000);
      await expect(scene.scaler.setScale(ref, 1, { signal })).rejects.toMatchObject({
        code: expect.stringMatching(codes) as string,
      });
      // What never left can have changed nothing, and nobody sends it later.
      expect(await epochOf(scene)).toBe(before);
      await scene.make("second", { replicas: 0 });
      link.set("open");
      await expect
        .poll(
          () =>
            scene.scaler.setScale(ref, 1).then(
              () => true,
              () => false,
            ),
          soon,
        )
        .toBe(true);
      await expect.poll(() => scene.scaler.resolveTargets(ref, undefined).catch(() => []), soon).toHaveLength(1);
      await expect.poll(async () => (await scene.listed("web"))?.ready, soon).toBe(1);
      await expect.poll(() => scene.slice("second"), soon).toBeDefined();
    },
  );

  it(
    "a divert rejects so that it can be tried again, and the repetition is accepted",
    { timeout: 120_000 },
    async () => {
      const { scene, link } = await openBehindLink();
      await scene.make("web", { replicas: 1 });
      await expect.poll(async () => (await scene.listed("web"))?.ready, soon).toBe(1);
      const ref = { namespace: scene.namespace.name, name: "web" };
      const { version } = await scene.scaler.setScale(ref, 1);
      link.set(state);
      const signal = AbortSignal.timeout(4_000);
      await expect(scene.scaler.routeTraffic?.(ref, "dlx", { version, signal })).rejects.toBeDefined();
      expect(await scene.endpoints("web")).toEqual([]);
      expect((await scene.service("web")).spec.selector).toEqual({ app: "web" });
      link.set("open");
      const divert = async () =>
        scene.scaler.routeTraffic?.(ref, "dlx", { version }).then(
          () => true,
          () => false,
        );
      await expect.poll(divert, soon).toBe(true);
      expect(await scene.endpoints("web")).toEqual([scene.dlx.address]);
      const restore = async () =>
        scene.scaler.routeTraffic?.(ref, "resource", { version }).then(
          () => true,
          () => false,
        );
      await expect.poll(restore, soon).toBe(true);
      expect(await scene.endpoints("web")).toEqual([]);
      expect((await scene.pods("web")).map(({ metadata }) => metadata.deletionTimestamp)).toEqual([undefined]);
    },
  );
});
