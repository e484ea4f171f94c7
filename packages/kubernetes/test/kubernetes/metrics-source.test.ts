import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { type MetricsSource, openPort, systemClock } from "@dormouse/core";
import { type TestNamespace, testNamespace } from "@dormouse/test-kubernetes";
import { afterEach, beforeEach, describe, expect, inject, it, vi } from "vitest";
import { metricsSource } from "../../src/index.ts";
import { RecordingLogger } from "../recording-logger.ts";

const patience = { timeout: 30_000, interval: 50 };
const apiServices = "/apis/apiregistration.k8s.io/v1/apiservices";
const version = "v1beta2";
const name = `${version}.custom.metrics.k8s.io`;

/** An address of this machine: of loopback no endpoint is made. */
const address = Object.values(networkInterfaces())
  .flat()
  .find((each) => each?.family === "IPv4" && !each.internal)?.address;

/** An adapter of the custom metrics API over TLS, behind the API server's aggregator. */
class Adapter implements AsyncDisposable {
  readonly asked: string[] = [];
  /** Items of each answer; undefined: the adapter fails. */
  items: (() => readonly object[]) | undefined = () => [];
  delayMs = 0;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    server.on("request", (request, response) => this.#answer(request, response));
  }

  static async open(): Promise<Adapter> {
    const server = createServer(selfSigned());
    await new Promise<void>((resolve) => {
      server.listen(0, address, resolve);
    });
    return new Adapter(server);
  }

  get port(): number {
    return (this.#server.address() as { readonly port: number }).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer({ url = "/" }: IncomingMessage, response: ServerResponse): void {
    response.setHeader("content-type", "application/json");
    const groupVersion = `custom.metrics.k8s.io/${version}`;
    if (!url.includes("/namespaces/"))
      return void response.end(
        JSON.stringify({ kind: "APIResourceList", apiVersion: "v1", groupVersion, resources: [] }),
      );
    this.asked.push(decodeURIComponent(url));
    if (this.items === undefined) return void response.writeHead(500).end("{}");
    const list = { kind: "MetricValueList", apiVersion: groupVersion, metadata: {}, items: this.items() };
    setTimeout(() => response.end(JSON.stringify(list)), this.delayMs);
  }
}

function selfSigned(): { key: Buffer; cert: Buffer } {
  const folder = mkdtempSync(join(tmpdir(), "dormouse-adapter-"));
  const [key, cert] = [join(folder, "key"), join(folder, "cert")];
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-x509", "-days", "2"];
  execFileSync("openssl", ["req", ...kind, "-subj", "/CN=adapter", "-keyout", key, "-out", cert], { stdio: "ignore" });
  const pair = { key: readFileSync(key), cert: readFileSync(cert) };
  rmSync(folder, { recursive: true });
  return pair;
}

// The adapter is here, where a foreign cluster does not find it.
describe.runIf(!inject("kubernetes").isForeign && address !== undefined)(
  "the metrics source behind a real aggregator",
  () => {
    let namespace: TestNamespace;
    let adapter: Adapter;
    let source: MetricsSource;
    let logger: RecordingLogger;

    beforeEach(async () => {
      namespace = await testNamespace();
      adapter = await Adapter.open();
      const { api } = namespace;
      const ports = [{ port: adapter.port }];
      const metadata = { name: "adapter" };
      await api.post(`/api/v1/namespaces/${namespace.name}/services`, { metadata, spec: { ports } });
      const subsets = [{ addresses: [{ ip: address }], ports }];
      await api.post(`/api/v1/namespaces/${namespace.name}/endpoints`, { metadata, subsets });
      await api.post(apiServices, {
        metadata: { name },
        spec: {
          group: "custom.metrics.k8s.io",
          version,
          service: { namespace: namespace.name, name: "adapter", port: adapter.port },
          insecureSkipTLSVerify: true,
          groupPriorityMinimum: 100,
          versionPriority: 100,
        },
      });
      await vi.waitFor(assertAvailable, patience);
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
      await namespace.api.delete(`${apiServices}/${name}`);
      await adapter[Symbol.asyncDispose]();
    });

    async function assertAvailable(): Promise<void> {
      interface Condition {
        readonly type: string;
        readonly status: string;
        readonly message?: string;
      }
      const path = `${apiServices}/${name}`;
      const { status } = await namespace.api.get<{ status?: { conditions?: readonly Condition[] } }>(path);
      const available = status?.conditions?.find(({ type }) => type === "Available");
      if (available?.status !== "True") throw new Error(`the API is not available: ${String(available?.message)}`);
    }

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
      await namespace.api.delete(`${apiServices}/${name}`);
      const failure = (): Promise<unknown> => read("web").catch((error: unknown) => error);
      await expect.poll(failure, patience).toMatchObject({ code: "SCALER_UNSUPPORTED" });
      expect(logger.messages("warn")).toContain("a custom metric is not usable; its resources stay awake");
    });
  },
);
