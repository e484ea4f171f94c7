import { type DormouseConfig, parseConfig, parsePolicy, resolveDefaults } from "@dormouse/core";
import { describe, expect, it } from "vitest";
import { findTargetProblems } from "./find-target-problems.ts";
import type { PlacedResource } from "./placed-resource.ts";

type Scaler = Parameters<typeof findTargetProblems>[2][number];

function scaler(id: string, replicas: "one" | "many"): Scaler {
  return { id, scaler: { capabilities: { replicas } } as Scaler["scaler"] };
}

function configured(over: object = {}): DormouseConfig {
  return parseConfig({ scalers: [{ use: "process" }], ...over }, "d.yaml");
}

function resource(config: DormouseConfig, target: object | undefined, over: Partial<PlacedResource> = {}) {
  const policy = parsePolicy({ enabled: true, ...(target && { target }) }, resolveDefaults(config), "");
  return { ref: { scaler: "local", namespace: "default", name: "web" }, policy, ...over };
}

const scalers = [scaler("local", "many"), scaler("aci", "one")];
const cpu = { metric: "cpu", value: 0.8 };

describe("a target", () => {
  it("is named where its scaler can run one replica only", () => {
    const config = configured({ autoscaler: { metrics: [{ use: "prometheus" }] } });
    const group = resource(config, cpu, { ref: { scaler: "aci", namespace: "default", name: "web" } });
    expect(findTargetProblems(config, [group, resource(config, cpu)], scalers)).toEqual([
      {
        place: "aci/default/web.target",
        problem: 'is for resources of several replicas, and the scaler "aci" runs one',
        mend: "leave target out",
      },
    ]);
  });

  it("is named where its source is not configured, by its place in the file", () => {
    const config = configured({ autoscaler: { metrics: [{ use: "prometheus" }] } });
    const place = "scalers[0].options.resources[1]";
    const found = findTargetProblems(config, [resource(config, { ...cpu, source: "prom" }, { place })], scalers);
    expect(found).toEqual([
      {
        place: `${place}.policy.target.source`,
        problem: '"prom" is no metrics source',
        mend: "add it to autoscaler.metrics, which has prometheus",
      },
    ]);
    const none = configured({ autoscaler: { metrics: [] } });
    expect(findTargetProblems(none, [resource(none, cpu)], scalers)).toMatchObject([
      { problem: "has no metrics source" },
    ]);
  });

  it("is named where it takes what the DLX counts for an average", () => {
    const config = configured();
    const inFlight = { metric: "in_flight", value: 5 };
    expect(findTargetProblems(config, [resource(config, inFlight)], scalers)).toMatchObject([
      { place: "local/default/web.target.valueKind", mend: "write valueKind: total, or name another source" },
    ]);
    expect(findTargetProblems(config, [resource(config, { ...inFlight, valueKind: "total" })], scalers)).toEqual([]);
  });

  it("of the defaults is for those resources that can have one", () => {
    const config = configured({ defaults: { target: { metric: "in_flight", value: 5 } } });
    const group = resource(config, undefined, { ref: { scaler: "aci", namespace: "default", name: "web" } });
    expect(findTargetProblems(config, [group], scalers)).toEqual([]);
  });

  it("counts for nothing where its resource does not opt in, or has none", () => {
    const config = configured();
    const { ref, policy } = resource(config, cpu);
    expect(findTargetProblems(config, [{ ref, policy: { ...policy, enabled: false } }], scalers)).toEqual([]);
    expect(findTargetProblems(config, [resource(config, undefined)], scalers)).toEqual([]);
  });
});
