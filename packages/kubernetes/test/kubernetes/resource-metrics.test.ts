import { type MetricsSource, openPort, systemClock } from "@dormouse/core";
import { type TestNamespace, testNamespace } from "@dormouse/test-kubernetes";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import { metricsSource } from "../../src/index.ts";
import { RecordingLogger } from "../recording-logger.ts";
import { AggregatedApi, ownAddress } from "./aggregated-api.ts";

const patience = { timeout: 30_000, interval: 50 };

const { isForeign, hasControllers } = inject("kubernetes");

// The metrics server is here, where a foreign cluster does not find it; controllers make the pods and count them.
describe.runIf(!isForeign && hasControllers && ownAddress !== undefined)(
  "resource metrics behind a real aggregator",
  () => {
    let namespace: TestNamespace;
    let server: AggregatedApi;
    let source: MetricsSource;
    let logger: RecordingLogger;

    beforeEach(async () => {
      namespace = await testNamespace();
      await deploy("deployments", "web", 2);
      await deploy("statefulsets", "db", 1);
      const group = { group: "metrics.k8s.io", version: "v1beta1", listKind: "PodMetricsList" };
      server = await AggregatedApi.open(namespace, group);
      logger = new RecordingLogger();
      const { kubeconfig, name } = namespace;
      const options = { api: "resource", kubeconfig, namespaces: [name], timeout: "1s" };
      source = await openPort(metricsSource, options, { id: "resource", clock: systemClock, logger });
    }, 60_000);

    afterEach(async () => {
      await source[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    });

    /** A workload whose pods request half a core and 128 MiB each, and never get a node here. */
    async function deploy(plural: string, name: string, replicas: number): Promise<void> {
      const labels = { app: name };
      const resources = { requests: { cpu: "500m", memory: "128Mi" } };
      const containers = [{ name: "main", image: "none", resources }];
      await namespace.api.post(`/apis/apps/v1/namespaces/${namespace.name}/${plural}`, {
        metadata: { name },
        spec: {
          replicas,
          serviceName: name,
          selector: { matchLabels: labels },
          template: { metadata: { labels }, spec: { containers } },
        },
      });
    }

    function pod(app: string, index: number, cpu: string, memory: string): object {
      return {
        metadata: { name: `${app}-${String(index)}`, namespace: namespace.name, labels: { app } },
        timestamp: new Date(systemClock.now() - 3_000).toISOString(),
        window: "1m0s",
        containers: [{ name: "main", usage: { cpu, memory } }],
      };
    }

    function read(metric: string, ...names: readonly string[]) {
      const resources = names.map((each) => ({ scaler: "k8s-deployment", namespace: namespace.name, name: each }));
      return source.read({ metric, windowMs: 60_000, resources });
    }

    async function valuesOf(metric: string): Promise<readonly (readonly [string, number])[]> {
      return (await read(metric, "web", "statefulset:db", "unknown")).map(({ ref, value }) => [ref.name, value]);
    }

    it("averages over the pods of each workload, by one list of the namespace", async () => {
      server.items = () => [
        pod("web", 0, "100m", "32Mi"),
        pod("web", 1, "300000000n", "96Mi"),
        pod("db", 0, "50m", "64Mi"),
        pod("stranger", 0, "9", "9Gi"),
      ];
      // The controllers have to make the pods first, and to count them.
      await expect.poll(() => valuesOf("cpu"), patience).toHaveLength(2);
      expect(await valuesOf("cpu")).toEqual([
        ["web", 0.2],
        ["statefulset:db", 0.05],
      ]);
      expect(await valuesOf("memory")).toEqual([
        ["web", 64 * 2 ** 20],
        ["statefulset:db", 64 * 2 ** 20],
      ]);
      expect(await valuesOf("cpu-utilization")).toEqual([
        ["web", 0.4],
        ["statefulset:db", 0.1],
      ]);
      expect(await valuesOf("memory-utilization")).toEqual([
        ["web", 0.5],
        ["statefulset:db", 0.5],
      ]);
      expect(new Set(server.asked)).toEqual(
        new Set([`/apis/metrics.k8s.io/v1beta1/namespaces/${namespace.name}/pods`]),
      );
    });

    it("knows nothing while a pod is not measured, the server fails, hangs or is gone", async () => {
      const one = (): object => pod("web", 0, "100m", "32Mi");
      server.items = () => [one(), pod("web", 1, "100m", "32Mi"), pod("db", 0, "50m", "64Mi")];
      const whole = server.items;
      await expect.poll(() => valuesOf("cpu"), patience).toHaveLength(2);
      server.items = () => [one()];
      await expect.poll(() => valuesOf("cpu"), patience).toEqual([]);
      expect(JSON.stringify(logger.lines)).toContain("1 of 2 pods are not measured");
      const failure = (): Promise<unknown> => valuesOf("cpu").catch((error: unknown) => error);
      server.items = undefined;
      await expect.poll(failure, patience).toMatchObject({ code: "SCALER_UNAVAILABLE" });
      server.items = whole;
      server.delayMs = 5_000;
      await expect.poll(failure, patience).toMatchObject({ code: "SCALER_TIMEOUT" });
      server.delayMs = 0;
      await expect.poll(failure, patience).toHaveLength(2);
      await server.unregister();
      await expect.poll(failure, patience).toMatchObject({ code: "SCALER_UNSUPPORTED" });
    });
  },
);
