import { defaultPolicy } from "@dormouse/core";
import { describe, expect, it } from "vitest";
import { metadata, pod, service, slice, workload, type WorkloadParts } from "../test/objects.ts";
import type { PodObject, ServiceObject, SliceObject } from "./objects.ts";
import { factsOf, type FactsSource, toResource } from "./workload-facts.ts";

interface Surroundings {
  readonly services?: readonly ServiceObject[];
  readonly slices?: readonly SliceObject[];
  readonly pods?: readonly PodObject[];
  readonly isReleased?: boolean;
}

function read(
  parts: WorkloadParts,
  { services = [service("web")], slices = [], pods = [], isReleased = false }: Surroundings = {},
) {
  const own = workload("web", parts);
  const source: FactsSource = {
    scaledObjectOf: () => undefined,
    servicesIn: () => services,
    workloadsIn: () => [own],
    slicesOf: () => slices,
    podsOf: () => pods,
    isReleased,
  };
  const facts = factsOf(own, source, defaultPolicy);
  return {
    facts,
    resource: toResource(facts, source, { listenOn: "0.0.0.0", now: Date.now(), unschedulableAfterMs: 0 }),
  };
}

const route = (text: string) => ({ annotations: { "dormouse.dev/route": text } });
const diverted = service("web", { selector: { app: "web", "dormouse.dev/diverted": "true" } }, route("dlx uid-web 9"));

describe("a resource", () => {
  it("has its counts, version, times and ports", () => {
    const status = { observedGeneration: 3, readyReplicas: 2, replicas: 2 };
    const { resource } = read({ replicas: 2, generation: 3, status, annotations: { "dormouse.dev/epoch": "5" } });
    expect(resource).toMatchObject({
      ref: { namespace: "shop", name: "web" },
      desired: 2,
      ready: 2,
      wakeReplicas: 2,
      version: "uid-web.3.5",
      createdAt: Date.parse(metadata("web").creationTimestamp),
      ports: [{ name: "http", number: 8080, protocol: "http" }],
      routedTo: "resource",
    });
    expect(resource.failure).toBeUndefined();
  });

  it("has none ready while the controller has not seen the newest specification", () => {
    const status = { observedGeneration: 2, readyReplicas: 2 };
    expect(read({ replicas: 2, generation: 3, status }).resource.ready).toBe(0);
    expect(read({ replicas: 0, generation: 3, status }).resource.ready).toBe(2);
  });

  it("has those ready that its pods say are, before the controller has counted them, but no pod that ends", () => {
    const isReady = { conditions: [{ type: "Ready", status: "True" }] };
    const pods = [pod("web-1", isReady), pod("web-2", isReady, { deletionTimestamp: "2026-01-02T03:04:05Z" })];
    const status = { observedGeneration: 1, readyReplicas: 0 };
    expect(read({ replicas: 2, status }, { pods }).resource.ready).toBe(1);
    expect(read({ replicas: 2, generation: 2, status }, { pods }).resource.ready).toBe(0);
  });

  it("that sleeps wakes as its annotation says, else as its slices do, else as one", () => {
    const kept = slice("web", 1, { annotations: { "dormouse.dev/wake-replicas": "4" } });
    const annotations = { "dormouse.dev/wake-replicas": "3" };
    expect(read({ replicas: 0, annotations }, { slices: [kept] }).resource.wakeReplicas).toBe(3);
    expect(read({ replicas: 0 }, { slices: [kept] }).resource.wakeReplicas).toBe(4);
    expect(read({ replicas: 0 }).resource.wakeReplicas).toBe(1);
    expect(read({ replicas: 7, annotations }).resource.wakeReplicas).toBe(7);
  });

  it("listens at the ports of its slice", () => {
    expect(read({}, { slices: [slice("web", 0, {}, 20_007)] }).resource.ports[0]?.listen).toBe("0.0.0.0:20007");
  });

  it("fails by its living pods, once none is ready", () => {
    const broken = { containerStatuses: [{ name: "main", state: { waiting: { reason: "ImagePullBackOff" } } }] };
    const pods = [pod("web-1", broken)];
    expect(read({ replicas: 1 }, { pods }).resource.failure?.code).toBe("SCALER_IMAGE_PULL");
    expect(read({ replicas: 0 }, { pods }).resource.failure).toBeUndefined();
    expect(
      read({ replicas: 1, status: { observedGeneration: 1, readyReplicas: 1 } }, { pods }).resource.failure,
    ).toBeUndefined();
    const ending = [pod("web-1", broken, { deletionTimestamp: "2026-01-02T03:04:05Z" })];
    expect(read({ replicas: 1 }, { pods: ending }).resource.failure).toBeUndefined();
  });
});

describe("what is listed", () => {
  it.each<[string, WorkloadParts, Surroundings, boolean]>([
    ["a workload that asks for it", {}, {}, true],
    ["not one that never did", { annotations: { "dormouse.dev/enabled": "false" } }, {}, false],
    [
      "one that was stopped by Dormouse and asks no more",
      { replicas: 0, annotations: { "dormouse.dev/enabled": "false", "dormouse.dev/epoch": "1" } },
      {},
      true,
    ],
    [
      "one whose traffic is away and that asks no more",
      { annotations: { "dormouse.dev/enabled": "false" } },
      { services: [diverted], slices: [slice("web", 1, route("dlx uid-web 9"))] },
      true,
    ],
    ["one that is refused", {}, { services: [] }, true],
  ])("is %s", (_, parts, surroundings, isListed) => expect(read(parts, surroundings).facts.isListed).toBe(isListed));

  it("is managed no more once everything has been handed back", () => {
    expect(read({}, { isReleased: true }).resource.policy.enabled).toBe(false);
  });
});

describe("where traffic goes", () => {
  const living = [pod("web-1", {})];
  const filled = slice("web", 2, route("dlx uid-web 9"));
  it.each<[string, Surroundings, "dlx" | "resource" | undefined]>([
    ["to the resource without slices", {}, "resource"],
    ["to the resource with an empty slice", { slices: [slice("web", 0, route("resource uid-web 9"))] }, "resource"],
    ["to the DLXs with the key", { services: [diverted], slices: [filled], pods: living }, "dlx"],
    ["to the DLXs without the key where there are no pods", { slices: [filled] }, "dlx"],
    ["nobody can say without the key where there are pods", { slices: [filled], pods: living }, undefined],
    [
      "nobody can say on the way back",
      { slices: [slice("web", 1, route("resource uid-web 10"))], pods: living },
      undefined,
    ],
    [
      "nobody can say with the key and no endpoint",
      { services: [diverted], slices: [slice("web", 0, route("dlx uid-web 9"))] },
      undefined,
    ],
    [
      "nobody can say where one of two families is missing",
      { services: [{ ...diverted, spec: { ...diverted.spec, ipFamilies: ["IPv4", "IPv6"] } }], slices: [filled] },
      undefined,
    ],
  ])("%s", (_, surroundings, to) => expect(read({}, surroundings).facts.routedTo).toBe(to));
});
