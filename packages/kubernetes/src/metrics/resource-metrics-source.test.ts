import { type MetricQuery, type MetricSample, type ResourceRef, ScalerError } from "@dormouse/core";
import { FakeClock } from "@dormouse/core/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RecordingLogger } from "../../test/recording-logger.ts";
import type { FollowedWorkload } from "../workloads/followed-workloads.ts";
import type { PodMetrics } from "./pod-metrics.ts";
import { ResourceMetricsSource } from "./resource-metrics-source.ts";

const start = 1_700_000_000_000;
const windowMs = 60_000;
const Mi = 2 ** 20;

let clock: FakeClock;
let logger: RecordingLogger;
let source: ResourceMetricsSource;
let pods: PodMetrics[];
let problems: string[];
let workloads: Map<string, FollowedWorkload>;
let lists: string[];
let failure: Error | undefined;
let unfollowed: Error | undefined;

beforeEach(() => {
  clock = new FakeClock(start);
  logger = new RecordingLogger();
  [pods, problems, lists] = [[], [], []];
  [failure, unfollowed] = [undefined, undefined];
  workloads = new Map();
  source = new ResourceMetricsSource({
    list: async (namespace) => {
      lists.push(namespace);
      if (failure !== undefined) throw failure;
      return { pods, problems };
    },
    whenSynced: async () => {},
    workloadOf: ({ kind, name }) => {
      if (unfollowed !== undefined) throw unfollowed;
      return workloads.get(`${kind} ${name}`);
    },
    scaler: "k8s",
    timeoutMs: 4_000,
    clock,
    logger,
    close: async () => {},
  });
});

afterEach(() => source[Symbol.asyncDispose]());

function workload(name: string, count: number, requests: Partial<FollowedWorkload["requests"]> = {}): void {
  const kind = name === "db" ? "StatefulSet" : "Deployment";
  const selector = { matchLabels: { app: name } };
  const all = { cpu: undefined, memory: undefined, ...requests };
  workloads.set(`${kind} ${name}`, { kind, namespace: "shop", name, selector, pods: count, requests: all });
}

function pod(app: string, cpu: number, more: Partial<PodMetrics> = {}): void {
  const name = `${app}-${String(pods.length)}`;
  pods.push({ name, labels: { app }, usage: { cpu, memory: cpu * Mi }, at: clock.now(), windowMs, ...more });
}

const ref = (name: string, namespace = "shop"): ResourceRef => ({ scaler: "k8s", namespace, name });

function read(metric = "cpu", ...resources: readonly ResourceRef[]): Promise<readonly MetricSample[]> {
  const query: MetricQuery = { metric, windowMs, resources: resources.length === 0 ? [ref("web")] : resources };
  return source.read(query);
}

describe("the resource metrics source", () => {
  it("gives the average over a workload's pods with the age of the oldest, by one list of each namespace", async () => {
    workload("web", 2);
    workload("db", 1);
    pod("web", 0.5, { at: start - 4_000 });
    pod("web", 1.5, { at: start - 1_000 });
    pod("db", 0.25);
    pod("stranger", 9);
    const all = [ref("web"), ref("statefulset:db"), ref("unknown"), ref("web", "back")];
    expect((await read("cpu", ...all)).slice(0, 2)).toEqual([
      { ref: ref("web"), value: 1, ageMs: 4_000 },
      { ref: ref("statefulset:db"), value: 0.25, ageMs: 0 },
    ]);
    expect(await read("memory")).toEqual([{ ref: ref("web"), value: Mi, ageMs: 4_000 }]);
    expect(lists).toEqual(["shop", "back"]);
    await clock.advance(1_000);
    await read();
    expect(lists).toEqual(["shop", "back", "shop"]);
  });

  it("gives the share of what the pods request", async () => {
    workload("web", 2, { cpu: 0.5, memory: 4 * Mi });
    pod("web", 0.1);
    pod("web", 0.3);
    expect(await read("cpu-utilization")).toMatchObject([{ value: 0.4 }]);
    expect(await read("memory-utilization")).toMatchObject([{ value: 0.05 }]);
  });

  it("does not know a share where a container requests nothing, and says so once", async () => {
    workload("web", 1);
    pod("web", 0.1);
    expect(await read("cpu-utilization")).toEqual([]);
    expect(await read("cpu-utilization")).toEqual([]);
    expect(logger.messages("warn")).toHaveLength(1);
    expect(JSON.stringify(logger.lines)).toContain("not every container requests cpu");
    expect(await read("cpu")).toHaveLength(1);
  });

  it("does not know a workload of which one pod is not measured, but all others", async () => {
    workload("web", 3);
    workload("api", 1);
    pod("web", 0);
    pod("web", 0);
    pod("api", 1);
    problems = ["web-2 has no containers"];
    expect(await read("cpu", ref("web"), ref("api"))).toMatchObject([{ ref: ref("api"), value: 1 }]);
    expect(JSON.stringify(logger.lines)).toContain("1 of 3 pods are not measured (web-2 has no containers)");
  });

  it("does not take a workload for quieter because pods that are ending are measured too", async () => {
    workload("web", 1);
    pod("web", 0.8);
    pod("web", 0);
    expect(await read()).toMatchObject([{ value: 0.8 }]);
  });

  it("has nothing to say of what sleeps, of other scalers' resources, and of names that are no workload's", async () => {
    workload("web", 0);
    expect(await read("cpu", ref("web"), { ...ref("web"), scaler: "local" }, ref("job:web"))).toEqual([]);
    expect(logger.messages("warn")).toEqual([]);
  });

  it("remembers what was measured over less than the rule's window, and gives the highest of it", async () => {
    workload("web", 1);
    const seen: (number | undefined)[] = [];
    for (const cpu of [0, 4, 0, 0, 0, 0, 0, 0, 0]) {
      pods = [];
      pod("web", cpu, { windowMs: 15_000 });
      seen.push((await read())[0]?.value);
      await clock.advance(10_000);
    }
    expect(seen.slice(0, 4)).toEqual([undefined, undefined, undefined, undefined]);
    expect(seen.find((value) => value !== undefined)).toBe(4);
    expect(seen.at(-1)).toBe(0);
  });

  it("does not believe what was measured over more than the rule's window", async () => {
    workload("web", 1);
    pod("web", 0, { windowMs: 300_000 });
    expect(await read()).toEqual([]);
    expect(JSON.stringify(logger.lines)).toContain("longer than the rule's window of 60 s");
  });

  it.each([
    ["the list fails", () => (failure = new ScalerError("SCALER_FORBIDDEN", "may not list pods")), "SCALER_FORBIDDEN"],
    [
      "the workloads are not followed",
      () => (unfollowed = new ScalerError("SCALER_UNAVAILABLE", "away")),
      "SCALER_UNAVAILABLE",
    ],
  ])("rejects with the reason where %s, and works again afterwards", async (_, breakIt, code) => {
    workload("web", 1);
    pod("web", 0.5);
    breakIt();
    await expect(read()).rejects.toMatchObject({ code });
    [failure, unfollowed] = [undefined, undefined];
    await clock.advance(1_000);
    expect(await read()).toMatchObject([{ value: 0.5 }]);
  });

  it("is no evidence about traffic that goes straight to pods", () => {
    expect(source.dlxOnly).toBe(true);
  });

  it("refuses a metric that it does not have, and names those that it has", async () => {
    await expect(read("disk")).rejects.toThrow("there are cpu, memory, cpu-utilization, memory-utilization");
  });
});
