import { openClientTools, type ClientTools } from "@dormouse/test-kubernetes";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { neededRights } from "../../../packages/scaler-k8s-deployment/src/check-access.ts";
import { k8sDeploymentOptions } from "../../../packages/scaler-k8s-deployment/src/k8s-deployment-options.ts";
import { renderChart, type ChartObject } from "./chart-objects.ts";

let tools: ClientTools;

beforeAll(async () => {
  tools = await openClientTools();
}, 180_000);

afterAll(() => tools[Symbol.dispose]());

/** `namespace group/resource/name verb`, the namespace `*` for all, no name for all objects. */
type Right = string;

function rightOf(namespace: string, group: string, resource: string, verb: string, name = ""): Right {
  return `${namespace} ${group}/${resource}/${name} ${verb}`;
}

/** What the chart's roles grant an account. */
function grantedRights(objects: readonly ChartObject[], account: string): Right[] {
  const bindings = objects.filter(({ subjects = [] }) => subjects.some(({ name }) => name === account));
  return bindings.flatMap(({ metadata, roleRef }) => {
    const role = objects.find(
      (each) =>
        each.kind === roleRef?.kind &&
        each.metadata.name === roleRef.name &&
        each.metadata.namespace === metadata.namespace,
    );
    return (role?.rules ?? []).flatMap((rule) => rightsOf(metadata.namespace ?? "*", rule));
  });
}

function rightsOf(namespace: string, rule: Readonly<Record<string, readonly string[]>>): Right[] {
  const { apiGroups = [], resources = [], verbs = [], resourceNames = [""] } = rule;
  return apiGroups.flatMap((group) =>
    resources.flatMap((resource) =>
      verbs.flatMap((verb) => resourceNames.map((name) => rightOf(namespace, group, resource, verb, name))),
    ),
  );
}

/** What the scaler asks the server whether it may. */
function scalerRights(namespaces: readonly string[], keep: boolean): Right[] {
  const options = k8sDeploymentOptions.parse({
    keep,
    dlx: { namespace: "default" },
    state: { configMap: "one-dormouse-state", namespace: "default" },
    ...(namespaces.length > 0 && { namespaces }),
  });
  const needed = neededRights({ namespace: "default", serves: () => true }, options);
  const scope = namespaces.length > 0 ? namespaces : ["*"];
  return needed.flatMap(({ group, resource, verbs, namespace, name }) =>
    (namespace === undefined ? scope : [namespace]).flatMap((each) =>
      verbs.map((verb) => rightOf(each, group, resource, verb, name)),
    ),
  );
}

/** What finding the DLXs, leading, and routes from Ingresses and HTTPRoutes take on top. */
function furtherRights(scope: readonly string[], host: string): Right[] {
  return [
    ...["get", "list"].map((verb) => rightOf("default", "", "pods", verb)),
    ...scope.flatMap((each) =>
      ["list", "watch"].flatMap((verb) => [
        rightOf(each, "networking.k8s.io", "ingresses", verb),
        rightOf(each, "gateway.networking.k8s.io", "httproutes", verb),
      ]),
    ),
    ...(host === "dlx"
      ? []
      : [
          rightOf("default", "coordination.k8s.io", "leases", "get", "one-dormouse-autoscaler"),
          rightOf("default", "coordination.k8s.io", "leases", "update", "one-dormouse-autoscaler"),
          rightOf("default", "coordination.k8s.io", "leases", "create"),
        ]),
  ];
}

describe.each([
  ["dlx", false],
  ["autoscaler", true],
  ["release", true],
])("the account of %s", (host, keep) => {
  it.each([
    ["everywhere", []],
    ["in two namespaces, its own not among them", ["a", "b"]],
  ])("may do just what its calls need: %s", async (_where, namespaces) => {
    const parameters = namespaces.length > 0 ? ["--set", `namespaces={${namespaces.join(",")}}`] : [];
    const objects = await renderChart(tools, parameters);
    const expected = [
      ...scalerRights(namespaces, keep),
      ...furtherRights(namespaces.length > 0 ? namespaces : ["*"], host),
    ];
    const granted = grantedRights(objects, `one-dormouse-${host}`);
    expect([...new Set(granted)].toSorted()).toEqual([...new Set(expected)].toSorted());
  });
});

it("the autoscaler may read custom metrics where the values say so", async () => {
  const granted = async (setting: string): Promise<string> =>
    JSON.stringify(grantedRights(await renderChart(tools, ["--set", setting]), "one-dormouse-autoscaler"));
  await expect(granted("metrics.customMetrics.enabled=true")).resolves.toContain("custom.metrics.k8s.io/*/ get");
  await expect(granted("metrics.customMetrics.enabled=false")).resolves.not.toContain("custom.metrics");
});

it("the autoscaler may list the use of pods where the values say so, and nobody else", async () => {
  const granted = async (setting: string, host: string): Promise<readonly Right[]> =>
    grantedRights(await renderChart(tools, ["--set", setting]), `one-dormouse-${host}`);
  const ofMetrics = (rights: readonly Right[]): Right[] => rights.filter((right) => right.includes(" metrics.k8s.io/"));
  const needed = rightOf("*", "metrics.k8s.io", "pods", "list");
  const enabled = "metrics.resourceMetrics.enabled=true";
  expect(ofMetrics(await granted(enabled, "autoscaler"))).toEqual([needed]);
  expect(ofMetrics(await granted(enabled, "dlx"))).toEqual([]);
  expect(ofMetrics(await granted("metrics.resourceMetrics.enabled=false", "autoscaler"))).toEqual([]);
});
