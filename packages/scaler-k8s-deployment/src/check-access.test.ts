import type { ApiMethod, ApiRequestOptions, Cluster } from "@dormouse/kubernetes";
import { describe, expect, it } from "vitest";
import { checkAccess } from "./check-access.ts";
import { k8sDeploymentOptions } from "./k8s-deployment-options.ts";

interface Asked {
  readonly group: string;
  readonly resource: string;
  readonly verb: string;
  readonly namespace?: string;
  readonly name?: string;
}

/** Answers each review by a function, and remembers what was asked. */
function open(isAllowed: (asked: Asked) => boolean) {
  const asked: Asked[] = [];
  let open = 0;
  let mostOpen = 0;
  const cluster = {
    namespace: "dormouse",
    serves: () => false,
    request: async <T>(_method: ApiMethod, _path: string, { body }: ApiRequestOptions = {}): Promise<T> => {
      const { spec } = body as { readonly spec: { readonly resourceAttributes: Asked } };
      asked.push(spec.resourceAttributes);
      open += 1;
      mostOpen = Math.max(mostOpen, open);
      await new Promise((resolve) => setImmediate(resolve));
      open -= 1;
      return { status: { allowed: isAllowed(spec.resourceAttributes) } } as T;
    },
  } as unknown as Cluster;
  return { cluster, asked, mostOpen: () => mostOpen };
}

const namespaces = Array.from({ length: 50 }, (_, index) => `team-${String(index)}`);

describe("the rights that are asked about", () => {
  it("are asked about once for all namespaces by whoever has them everywhere", async () => {
    const { cluster, asked } = open(() => true);
    await checkAccess(cluster, k8sDeploymentOptions.parse({ namespaces }));
    expect(asked.length).toBeLessThan(50);
    expect(new Set(asked.map(({ namespace }) => namespace))).toEqual(new Set([undefined, "dormouse"]));
  });

  it("are asked about in each namespace by whoever has not, some at a time", async () => {
    const { cluster, asked, mostOpen } = open(({ namespace }) => namespace !== undefined);
    await checkAccess(cluster, k8sDeploymentOptions.parse({ namespaces }));
    expect(asked.length).toBeGreaterThan(1_000);
    expect(mostOpen()).toBeLessThanOrEqual(16);
  });

  it("that are missing are named, with the rule and the place", async () => {
    const { cluster } = open(({ resource, namespace }) => resource !== "pods" || namespace === "a");
    const checking = checkAccess(cluster, k8sDeploymentOptions.parse({ namespaces: ["a", "b"] }));
    await expect(checking).rejects.toMatchObject({
      code: "SCALER_FORBIDDEN",
      message:
        'rights are missing; add these rules to the host\'s Role or ClusterRole: { apiGroups: [""], resources: [pods], verbs: [list, watch] } in namespace b',
    });
  });

  it("are fewer for a host that neither keeps order nor writes Events", async () => {
    const { cluster, asked } = open(() => true);
    await checkAccess(cluster, k8sDeploymentOptions.parse({ keep: false, events: false }));
    const verbs = (of: string) => asked.filter(({ resource }) => resource === of).map(({ verb }) => verb);
    expect(verbs("events")).toEqual(["list"]);
    expect(verbs("endpointslices")).not.toContain("create");
    expect(verbs("configmaps")).toEqual(["list", "watch"]);
    expect(asked.find(({ resource }) => resource === "configmaps")).toMatchObject({
      namespace: "dormouse",
      name: "dormouse-state",
    });
  });
});
