import { type MetricsSource, openPort, systemClock } from "@dormouse/core";
import { type TestNamespace, testNamespace } from "@dormouse/test-kubernetes";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import { metricsSource } from "../../src/index.ts";
import { RecordingLogger } from "../recording-logger.ts";
import { AggregatedApi, ownAddress } from "./aggregated-api.ts";

const patience = { timeout: 30_000, interval: 50 };
const version = "v1beta2";

// The adapter is here, where a foreign cluster does not find it.
describe.runIf(!inject("kubernetes").isForeign && ownAddress !== undefined)(
  "the metrics source behind a real aggregator",
  () => {
    let namespace: TestNamespace;
    let adapter: AggregatedApi;
    let source: MetricsSource;
    let logger: RecordingLogger;

    beforeEach(async () => {
      namespace = await testNamespace();
      adapter = await AggregatedApi.open(namespace, {
        group: "custom.metrics.k8s.io",
        version,
        listKind: "MetricValueList",
      });
      logger = new RecordingLogger();
      const options = {
        kubeconfig: namespace.kubeconfig,
        timeout: "1s",
        metrics: { requests: { metric: "http_requests" } },
      };
      source = await openPort(metricsSource, options, { id: "custom", clock: systemClock, logger });
    }, 60_000);

    afterEach(async () => {
      await source[Symbol.asyncDispose]();
      await adapter[Symbol.asyncDispose]();
    });

    function read(...names: readonly string[]) {
      const resources = names.map((each) => ({ scaler: "k8s-deployment", namespace: namespace.name, name: each }));
      return source.read({ metric: "requests", windowMs: 60_000, resources });
    }

    function item(object: string, kind: string, value: string): object {
      const describedObject = { kind, namespace: namespace.name, name: object, apiVersion: "apps/v1" };
      const timestamp = new Date(systemClock.now() - 3_000).toISOString();
      return { describedObject, metric: { name: "http_requests" }, timestamp, windowSeconds: 60, value };
    }

    it("reads all workloads of a kind at once", async () => {
      adapter.items = () => [
        item("web", "Deployment", "1500m"),
        item("api", "Deployment", "2k"),
        item("db", "StatefulSet", "0"),
      ];
      await expect.poll(() => read("web"), patience).toHaveLength(1);
      adapter.asked.length = 0;
      const samples = await read("web", "api", "statefulset:db", "silent");
      expect(samples.map(({ ref, value }) => [ref.name, value])).toEqual([
        ["web", 1.5],
        ["api", 2_000],
        ["statefulset:db", 0],
      ]);
      expect(samples.every(({ ageMs = 0 }) => ageMs >= 3_000 && ageMs < 20_000)).toBe(true);
      const root = `/apis/custom.metrics.k8s.io/${version}/namespaces/${namespace.name}`;
      expect(adapter.asked.toSorted()).toEqual([
        `${root}/deployments.apps/*/http_requests`,
        `${root}/statefulsets.apps/*/http_requests`,
      ]);
    });

    it("knows nothing while the adapter fails, hangs, or is gone, and everything again afterwards", async () => {
      adapter.items = () => [item("web", "Deployment", "0")];
      await expect.poll(() => read("web"), patience).toHaveLength(1);
      const { items } = adapter;
      adapter.items = undefined;
      await expect(read("web")).rejects.toMatchObject({ code: "SCALER_UNAVAILABLE" });
      adapter.items = items;
      adapter.delayMs = 5_000;
      await expect(read("web")).rejects.toMatchObject({ code: "SCALER_TIMEOUT" });
      adapter.delayMs = 0;
      await expect.poll(() => read("web"), patience).toHaveLength(1);
      await adapter.unregister();
      const failure = (): Promise<unknown> => read("web").catch((error: unknown) => error);
      await expect.poll(failure, patience).toMatchObject({ code: "SCALER_UNSUPPORTED" });
      expect(logger.messages("warn")).toContain("a custom metric is not usable; its resources stay awake");
    });
  },
);
