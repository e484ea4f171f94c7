import { describe, expect, it } from "vitest";
import { pairServices } from "./pair-services.ts";
import { toService, toWorkload, type WorkloadObject } from "./workload-objects.ts";

const prefix = "dormouse.dev/";

function workload(name: string, labels: Record<string, string>, annotations: Record<string, string> = {}) {
  const metadata = { name, namespace: "shop", annotations: { [`${prefix}enabled`]: "true", ...annotations } };
  const object: WorkloadObject = { metadata, spec: { template: { metadata: { labels } } } };
  return toWorkload(name.startsWith("db") ? "StatefulSet" : "Deployment", object, prefix);
}

function service(name: string, selector: Record<string, string> | null, more: object = {}, namespace = "shop") {
  return toService({ metadata: { name, namespace }, spec: { selector, ports: [{ port: 80 }], ...more } }, prefix);
}

const pairs = (workloads: readonly ReturnType<typeof workload>[], services: readonly ReturnType<typeof service>[]) =>
  pairServices(workloads, services).map((pair) => `${pair.workload.name}-${pair.service.name}`);

const web = workload("web", { app: "web", tier: "front" });

describe("a workload's Service", () => {
  it("is the one whose selector matches the pods", () => {
    const others = [service("b", { app: "other" }), service("c", { app: "web", tier: "back" }), service("d", {})];
    expect(pairs([web], [...others, service("a", { tier: "front", app: "web" })])).toEqual(["web-a"]);
    expect(pairs([web], others)).toEqual([]);
    expect(pairs([web], [service("a", { app: "web" }, {}, "back")])).toEqual([]);
    expect(pairs([web], [service("a", null)])).toEqual([]);
  });

  it("is the same while it is diverted", () => {
    expect(pairs([web], [service("a", { app: "web", [`${prefix}diverted`]: "true" })])).toEqual(["web-a"]);
    expect(pairs([web], [service("a", { [`${prefix}diverted`]: "true" })])).toEqual([]);
  });

  it("is the one that is named where several match, and only if it matches", () => {
    const two = [service("a", { app: "web" }), service("b", { tier: "front" })];
    expect(pairs([web], two)).toEqual([]);
    const named = (name: string) => workload("web", { app: "web", tier: "front" }, { [`${prefix}service`]: name });
    expect(pairs([named(" b ")], two)).toEqual(["web-b"]);
    expect(pairs([named("none")], two)).toEqual([]);
    expect(pairs([named("c")], [...two, service("c", { app: "other" })])).toEqual([]);
  });

  it("is not the headless one beside it, nor an ExternalName", () => {
    const headless = service("peers", { app: "web" }, { clusterIP: "None" });
    expect(pairs([web], [headless, service("a", { app: "web" })])).toEqual(["web-a"]);
    expect(pairs([web], [headless])).toEqual([]);
    expect(pairs([web], [service("a", { app: "web" }, { type: "ExternalName" })])).toEqual([]);
  });

  it("is none where it has pods of two workloads, enabled or not", () => {
    const db = workload("db", { app: "web" }, { [`${prefix}enabled`]: "false" });
    expect(pairs([web, db], [service("a", { app: "web" })])).toEqual([]);
    expect(pairs([web, db], [service("a", { tier: "front" })])).toEqual(["web-a"]);
  });

  it("is found for enabled workloads that stay", () => {
    const a = [service("a", { app: "web" })];
    expect(pairs([workload("web", { app: "web" }, { [`${prefix}enabled`]: "no" })], a)).toEqual([]);
    expect(pairs([workload("web", { app: "web" }, { [`${prefix}enabled`]: " True" })], a)).toEqual(["web-a"]);
    const metadata = {
      name: "web",
      namespace: "shop",
      annotations: { [`${prefix}enabled`]: "true" },
      deletionTimestamp: "2026-01-01T00:00:00Z",
    };
    const leaving = toWorkload(
      "Deployment",
      { metadata, spec: { template: { metadata: { labels: { app: "web" } } } } },
      prefix,
    );
    expect(pairs([leaving], a)).toEqual([]);
  });
});
