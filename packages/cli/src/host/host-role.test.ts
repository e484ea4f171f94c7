import { defaultPolicy, formatRef } from "@dormouse/core";
import { describe, expect, it } from "vitest";
import { parseConfigText } from "../config/load-config.ts";
import { RefusedConfig } from "../config/refused-config.ts";
import { checkRole, type HostRole, type ListedResource } from "./host-role.ts";

function problemsOf(
  role: HostRole,
  cluster: string,
  scalers = "{ use: x }",
  listed: readonly ListedResource[] = [],
): readonly string[] {
  const text = `scalers: [${scalers}]\ncluster: ${cluster}`;
  try {
    checkRole(parseConfigText(text, { file: "d.yaml" }), role, listed);
    return [];
  } catch (error) {
    if (!(error instanceof RefusedConfig)) throw error;
    return error.problems.map(({ origin, place }) => `${origin} ${place}`);
  }
}

describe("a configuration", () => {
  it("of several hosts is not run in one process, whichever half of it stands there", () => {
    expect(problemsOf("up", "{ peers: { use: static }, leader: { use: x } }")).toEqual([
      "d.yaml:2:12 cluster.peers",
      "d.yaml:2:36 cluster.leader",
    ]);
  });

  it.each(["dlx", "autoscaler"] as const)("without a peer discovery cannot be run by %s", (role) => {
    expect(problemsOf(role, "{ leader: { use: x } }")).toEqual(["d.yaml:2:1 cluster.peers"]);
    expect(problemsOf(role, "{ peers: { use: x } }")).toEqual([]);
  });

  it("needs no peer discovery for an autoscaler where it says itself that nothing can sleep", () => {
    const resource = (policy: string): string => `{ use: x, options: { resources: [{ name: a, policy: ${policy} }] } }`;
    const least = resource("{ minReplicas: 1 }");
    expect(problemsOf("autoscaler", "{}", least)).toEqual([]);
    expect(problemsOf("autoscaler", "{}\ndefaults: { minReplicas: 1 }", resource("{}"))).toEqual([]);
    for (const scalers of [resource("{}"), resource("{ minReplicas: 0 }"), "{ use: x }", `${least}, { use: y }`])
      expect(problemsOf("autoscaler", "{}", scalers)).toEqual(["d.yaml:2:1 cluster.peers"]);
    expect(problemsOf("dlx", "{}", least)).toEqual(["d.yaml:2:1 cluster.peers"]);
  });

  it("needs none either where the scaler lists nothing that can sleep, and one where it lists nothing yet", () => {
    const of = (minReplicas: number, scaler = "x"): ListedResource => {
      const ref = { scaler, namespace: "default", name: "a" };
      return { key: formatRef(ref), ref, resource: { policy: { ...defaultPolicy, minReplicas } } };
    };
    const written = "{ use: x, options: { resources: [{ name: a }] } }";
    for (const scalers of ["{ use: x }", written]) {
      expect(problemsOf("autoscaler", "{}", scalers, [of(1)])).toEqual([]);
      expect(problemsOf("autoscaler", "{}", scalers, [of(0)])).toEqual(["d.yaml:2:1 cluster.peers"]);
      expect(problemsOf("autoscaler", "{}", scalers, [of(1, "other")])).toEqual(["d.yaml:2:1 cluster.peers"]);
    }
  });

  it("of one host is run in one process", () => {
    expect(problemsOf("up", "{}")).toEqual([]);
  });
});
