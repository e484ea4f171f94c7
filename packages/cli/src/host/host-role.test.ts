import { describe, expect, it } from "vitest";
import { parseConfigText } from "../config/load-config.ts";
import { RefusedConfig } from "../config/refused-config.ts";
import { checkRole, type HostRole } from "./host-role.ts";

function problemsOf(role: HostRole, cluster: string): readonly string[] {
  const text = `scalers: [{ use: x }]\ncluster: ${cluster}`;
  try {
    checkRole(parseConfigText(text, { file: "d.yaml" }), role);
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

  it("of one host is run in one process", () => {
    expect(problemsOf("up", "{}")).toEqual([]);
  });
});
