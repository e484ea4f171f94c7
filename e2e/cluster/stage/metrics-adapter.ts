import { createServer, type Server } from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { until } from "../../harness/until.ts";
import type { TestApi } from "../../kubernetes/test-api.ts";
import { makeCertificate } from "./adapter-certificate.ts";
import { meterSeconds, TrafficMeter } from "./traffic-meter.ts";

/** How the adapter answers about one namespace. */
export type AdapterMode =
  /** What the Pods say. */
  | "right"
  /** 503. */
  | "failing"
  /** After longer than anybody waits. */
  | "slow"
  /** A list without the Deployment. */
  | "partial"
  /** A zero that was measured a minute ago. */
  | "stale"
  /** Something that is no quantity. */
  | "garbled";

const serviceName = "test-metrics-adapter";
const serviceNamespace = "kube-system";
const group = "custom.metrics.k8s.io";
const apiService = `/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.${group}`;

/** Name of the metric by which idle rules ask for what the meter measures. */
const metricName = "busy_requests";

/** The idle rule that goes with it, as the annotation has it. */
export const idleRules = JSON.stringify([
  { source: "custom-metrics", metric: metricName, window: `${String(meterSeconds)}s`, threshold: 0 },
]);

/**
 * The custom metrics API of the cluster: a TLS server of this process, made known by an APIService as an adapter's own
 * would be.
 */
export class MetricsAdapter implements AsyncDisposable {
  readonly #api: TestApi;
  readonly #server: Server;
  readonly #meters = new Map<string, TrafficMeter>();
  readonly #modes = new Map<string, AdapterMode>();
  readonly #asked = new Map<string, number>();

  private constructor(api: TestApi, server: Server) {
    this.#api = api;
    this.#server = server;
    server.on("request", (request, response) => void this.#answer(request, response));
  }

  /** @param address of this machine, as the cluster sees it */
  static async open(api: TestApi, address: string): Promise<MetricsAdapter> {
    const certificate = await makeCertificate(`${serviceName}.${serviceNamespace}.svc`);
    const server = createServer(certificate);
    await new Promise<void>((resolve) => server.listen(0, address, resolve));
    const adapter = new MetricsAdapter(api, server);
    try {
      await adapter.#register(address, (server.address() as AddressInfo).port, certificate.cert);
      return adapter;
    } catch (error) {
      await adapter[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Measures the Deployment of a namespace from now on. */
  watch(namespace: string): void {
    if (!this.#meters.has(namespace)) this.#meters.set(namespace, new TrafficMeter(this.#api, namespace));
  }

  setMode(namespace: string, mode: AdapterMode): void {
    this.#modes.set(namespace, mode);
  }

  /** How often somebody asked about a namespace so far. */
  asked(namespace: string): number {
    return this.#asked.get(namespace) ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // As long as it is known and does not answer, namespaces cannot be deleted.
    await this.#api.delete(apiService).catch(() => false);
    const base = `/api/v1/namespaces/${serviceNamespace}`;
    for (const kind of ["services", "endpoints"]) {
      await this.#api.delete(`${base}/${kind}/${serviceName}`).catch(() => false);
    }
    for (const meter of this.#meters.values()) await meter[Symbol.asyncDispose]();
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #register(address: string, port: number, cert: string): Promise<void> {
    const metadata = { name: serviceName };
    const base = `/api/v1/namespaces/${serviceNamespace}`;
    await this.#api.post(`${base}/services`, { metadata, spec: { ports: [{ port: 443, targetPort: port }] } });
    await this.#api.post(`${base}/endpoints`, {
      metadata,
      subsets: [{ addresses: [{ ip: address }], ports: [{ port }] }],
    });
    await this.#api.post("/apis/apiregistration.k8s.io/v1/apiservices", {
      metadata: { name: `v1beta1.${group}` },
      spec: {
        group,
        version: "v1beta1",
        groupPriorityMinimum: 100,
        versionPriority: 100,
        caBundle: Buffer.from(cert).toString("base64"),
        service: { ...metadata, namespace: serviceNamespace, port: 443 },
      },
    });
    await until(
      "the API server took in the custom metrics API",
      () => this.#api.get(`/apis/${group}/v1beta1`).catch(() => undefined),
      60_000,
    );
  }

  async #answer({ url = "" }: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = /\/namespaces\/([^/]+)\/deployments\.apps\/(?:\*|%2A)\/([^/?]+)/.exec(url);
    if (path === null) return reply(response, discovery);
    const [, namespace = "", metric = ""] = path;
    this.#asked.set(namespace, this.asked(namespace) + 1);
    const mode = this.#modes.get(namespace) ?? "right";
    if (mode === "failing") return void response.writeHead(503).end("the adapter is out of order");
    // It answers nothing at all; whoever asked gives up, and the end of the run closes the connection.
    if (mode === "slow") return;
    reply(response, this.#list(namespace, metric, mode));
  }

  #list(namespace: string, metric: string, mode: AdapterMode): object {
    const busy = mode === "stale" ? 0 : this.#meters.get(namespace)?.busy();
    const item = {
      describedObject: { kind: "Deployment", namespace, name: "web", apiVersion: "apps/v1" },
      metricName: metric,
      timestamp: new Date(Date.now() - (mode === "stale" ? 60_000 : 0)).toISOString(),
      windowSeconds: meterSeconds,
      value: mode === "garbled" ? "nothing" : String(busy),
    };
    const items = busy === undefined || mode === "partial" ? [] : [item];
    return { kind: "MetricValueList", apiVersion: `${group}/v1beta1`, metadata: {}, items };
  }
}

const discovery = {
  kind: "APIResourceList",
  apiVersion: "v1",
  groupVersion: `${group}/v1beta1`,
  resources: [
    {
      name: `deployments.apps/${metricName}`,
      singularName: "",
      namespaced: true,
      kind: "MetricValueList",
      verbs: ["get"],
    },
  ],
};

function reply(response: ServerResponse, body: object): void {
  response.setHeader("content-type", "application/json").end(JSON.stringify(body));
}
