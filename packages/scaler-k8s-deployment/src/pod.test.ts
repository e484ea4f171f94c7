import { describe, expect, it } from "vitest";
import { pod, workload } from "../test/objects.ts";
import { isLiving, isReady, ownerKey, ownerKeyOf, toPod } from "./pod.ts";

const owner = (kind: string, name: string) => [{ apiVersion: "apps/v1", kind, name, uid: "u" }];

describe("the workload of a pod", () => {
  it.each([
    ["web-5d9c7b8f6c", { "pod-template-hash": "5d9c7b8f6c" }, "shop/Deployment/web"],
    ["web-5d9c7b8f6c", {}, ""],
    ["web-other", { "pod-template-hash": "5d9c7b8f6c" }, ""],
    ["a.b-c.1-77", { "pod-template-hash": "77" }, "shop/Deployment/a.b-c.1"],
  ])("is known by its ReplicaSet %s and hash %j", (name, labels, key) =>
    expect(ownerKeyOf(pod("p", {}, { labels, ownerReferences: owner("ReplicaSet", name) }))).toBe(key),
  );

  it("is its StatefulSet, and none for pods of others", () => {
    expect(ownerKeyOf(pod("p", {}, { ownerReferences: owner("StatefulSet", "db") }))).toBe(
      ownerKey(workload("db", { kind: "StatefulSet" })),
    );
    expect(ownerKeyOf(pod("p", {}, { ownerReferences: owner("Job", "db") }))).toBe("");
    expect(ownerKeyOf(pod("p"))).toBe("");
  });
});

describe("a pod", () => {
  it("lives until something ends it", () => {
    expect(isLiving(pod("p", { phase: "Pending" }))).toBe(true);
    expect(isLiving(pod("p", { phase: "Failed" }))).toBe(false);
    expect(isLiving(pod("p", { phase: "Succeeded" }))).toBe(false);
    expect(isLiving(pod("p", { phase: "Running" }, { deletionTimestamp: "2026-01-02T03:04:05Z" }))).toBe(false);
  });

  it("keeps in memory what decisions rest on", () => {
    const conditions = [
      { type: "Ready", status: "True" },
      { type: "Initialized", status: "True" },
    ];
    const kept = toPod(pod("p", { podIP: "10.0.0.9", phase: "Running", conditions }, { labels: { app: "web" } }));
    expect(isReady(kept)).toBe(true);
    expect(kept.status).toEqual({ podIP: "10.0.0.9", phase: "Running", conditions: [conditions[0]] });
    expect(kept.metadata.labels).toEqual({ app: "web" });
  });
});
