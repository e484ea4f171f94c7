import { describe, expect, inject, it } from "vitest";
import { openGateway } from "./open-gateway.ts";
import { openScene, type Scene } from "./open-scene.ts";

const soon = { timeout: 30_000, interval: 50 };

/** Writes statuses of a Deployment as fast as the server takes them, until it is disposed. */
function makeNoise(scene: Scene): AsyncDisposable & { readonly writes: () => number } {
  const stop = new AbortController();
  let writes = 0;
  const path = `/apis/apps/v1/namespaces/${scene.namespace.name}/deployments/web/status`;
  const loop = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      const conditions = [{ type: "example.com/Noise", status: "True", reason: `N${String(writes)}` }];
      await scene.namespace.api.patch(path, { status: { conditions } });
      writes += 1;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  const running = loop();
  return {
    writes: () => writes,
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await running;
    },
  };
}

describe("a conditional write", () => {
  it("is accepted whatever happens to the status, and refused after a change of the specification", async () => {
    const scene = await openScene();
    await scene.make("web", { replicas: 0 });
    const ref = { namespace: scene.namespace.name, name: "web" };
    const noise = makeNoise(scene);
    try {
      await expect.poll(noise.writes, soon).toBeGreaterThan(5);
      for (let round = 0; round < 15; round += 1) {
        const read = await scene.scaler.getResource(ref);
        const before = noise.writes();
        await expect.poll(noise.writes, soon).toBeGreaterThan(before);
        await scene.scaler.setScale(ref, round % 2, { ifVersion: read?.version ?? "" });
        expect((await scene.workload("web")).spec.replicas).toBe(round % 2);
      }
      const { version } = await scene.scaler.setScale(ref, 0);
      await scene.patchWorkload("web", { spec: { minReadySeconds: 1 } });
      await expect(scene.scaler.setScale(ref, 1, { ifVersion: version })).rejects.toMatchObject({
        code: "SCALER_CONFLICT",
      });
      expect((await scene.workload("web")).spec.replicas).toBe(0);
    } finally {
      await noise[Symbol.asyncDispose]();
    }
  });

  it("is won by one of many at once", async () => {
    const scene = await openScene();
    const second = await scene.openScaler({ keep: false });
    await scene.make("web", { replicas: 0 });
    const ref = { namespace: scene.namespace.name, name: "web" };
    await expect.poll(() => scene.scaler.getResource(ref), soon).toBeDefined();
    await expect.poll(async () => (await second.listResources()).length, soon).toBe(1);
    for (let round = 0; round < 10; round += 1) {
      const read = await scene.scaler.getResource(ref);
      const claims = [1, 2, 3, 4].map((count) =>
        (count % 2 === 0 ? scene.scaler : second).setScale(ref, count, { ifVersion: read?.version ?? "" }),
      );
      const outcomes = await Promise.allSettled(claims);
      const won = outcomes.flatMap((outcome, index) => (outcome.status === "fulfilled" ? [index + 1] : []));
      expect(won).toHaveLength(1);
      expect((await scene.workload("web")).spec.replicas).toBe(won[0]);
      const lost = outcomes.filter((outcome) => outcome.status === "rejected");
      for (const { reason } of lost) expect(reason).toMatchObject({ code: "SCALER_CONFLICT" });
    }
  });
});

describe("after a stop and a quick start", () => {
  it("no target is ever listed that the stop ends", async () => {
    let mayEnd = true;
    const scene = await openScene({ mayEnd: () => mayEnd });
    await scene.make("web", { replicas: 1 });
    const ref = { namespace: scene.namespace.name, name: "web" };
    const targets = async (): Promise<readonly string[]> =>
      (await scene.scaler.resolveTargets(ref, undefined)).map(({ id }) => id);
    for (const pauseMs of [0, 0, 3, 10, 25, 60, 150]) {
      await expect.poll(targets, soon).toHaveLength(1);
      mayEnd = false;
      await scene.scaler.setScale(ref, 0);
      if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
      await scene.scaler.setScale(ref, 1);
      const listed = new Set<string>();
      await expect
        .poll(
          async () => {
            for (const id of await targets()) listed.add(id);
            return listed.size;
          },
          { timeout: 30_000, interval: 2 },
        )
        .toBeGreaterThan(0);
      await new Promise((resolve) => setTimeout(resolve, 300));
      for (const id of await targets()) listed.add(id);
      const ending = (await scene.pods("web")).filter(({ metadata }) => metadata.deletionTimestamp !== undefined);
      for (const { metadata } of ending) expect(listed, `after ${String(pauseMs)} ms`).not.toContain(metadata.uid);
      mayEnd = true;
    }
  });
});

describe("an API server that is busy or loses answers", () => {
  it("is obeyed where it says when to come again", async () => {
    const gateway = await openGateway(inject("kubernetes").kubeconfig);
    const scene = await openScene({ kubeconfig: gateway.kubeconfig });
    await scene.make("web", { replicas: 0 });
    const ref = { namespace: scene.namespace.name, name: "web" };
    await expect.poll(() => scene.slice("web"), soon).toBeDefined();
    gateway.treat = ({ method }) =>
      method === "PATCH"
        ? { status: 429, headers: { "retry-after": "3" }, body: { kind: "Status", code: 429 } }
        : "pass";
    // The keeper writes beside it, to other objects.
    const scalings = (): number => gateway.writes().filter(({ path }) => path.includes("/deployments/")).length;
    const before = scalings();
    await expect(scene.scaler.setScale(ref, 1)).rejects.toMatchObject({
      code: "SCALER_RATE_LIMITED",
      retryable: true,
      retryAfterMs: 3_000,
    });
    expect(scalings() - before).toBe(1);
    gateway.treat = () => "pass";
    await scene.scaler.setScale(ref, 1);
    await expect.poll(async () => (await scene.listed("web"))?.ready, soon).toBe(1);
  });

  it("is asked once only for a write whose answer was lost, which the next read shows", async () => {
    const gateway = await openGateway(inject("kubernetes").kubeconfig);
    const scene = await openScene({ kubeconfig: gateway.kubeconfig });
    await scene.make("web", { replicas: 0 });
    const ref = { namespace: scene.namespace.name, name: "web" };
    await expect.poll(() => scene.slice("web"), soon).toBeDefined();
    const read = await scene.scaler.getResource(ref);
    gateway.treat = ({ method, path }) =>
      method === "PATCH" && path.includes("/deployments/") ? "lose-answer" : "pass";
    const before = gateway.writes().length;
    const claim = scene.scaler.setScale(ref, 1, { ifVersion: read?.version ?? "" });
    await expect(claim).rejects.toMatchObject({ code: "SCALER_UNAVAILABLE", retryable: true });
    const patches = gateway
      .writes()
      .slice(before)
      .filter(({ path }) => path.includes("/deployments/"));
    expect(patches).toHaveLength(1);
    gateway.treat = () => "pass";
    expect((await scene.workload("web")).spec.replicas).toBe(1);
    await expect(scene.scaler.setScale(ref, 1, { ifVersion: read?.version ?? "" })).rejects.toMatchObject({
      code: "SCALER_CONFLICT",
    });
    const now = await scene.scaler.getResource(ref);
    expect(now?.desired).toBe(1);
    await scene.scaler.setScale(ref, 1, { ifVersion: now?.version ?? "" });
  });
});
