import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import type { TestNamespace } from "@dormouse/test-kubernetes";
import { vi } from "vitest";

const patience = { timeout: 30_000, interval: 50 };
const apiServices = "/apis/apiregistration.k8s.io/v1/apiservices";

/** An address of this machine: of loopback no endpoint is made. */
export const ownAddress = Object.values(networkInterfaces())
  .flat()
  .find((each) => each?.family === "IPv4" && !each.internal)?.address;

/** The API that is served. */
export interface AggregatedGroup {
  /** `metrics.k8s.io` */
  readonly group: string;
  /** `v1beta1` */
  readonly version: string;
  /** Kind of its lists. */
  readonly listKind: string;
}

/** A server of a metrics API over TLS, behind the API server's aggregator. */
export class AggregatedApi implements AsyncDisposable {
  readonly asked: string[] = [];
  /** Items of each answer; undefined: the server fails. */
  items: (() => readonly object[]) | undefined = () => [];
  delayMs = 0;
  readonly #server: Server;
  readonly #namespace: TestNamespace;
  readonly #group: AggregatedGroup;

  private constructor(server: Server, namespace: TestNamespace, group: AggregatedGroup) {
    this.#server = server;
    this.#namespace = namespace;
    this.#group = group;
    server.on("request", (request, response) => this.#answer(request, response));
  }

  /** Serves the API, and resolves once the API server passes requests on to it. */
  static async open(namespace: TestNamespace, group: AggregatedGroup): Promise<AggregatedApi> {
    const server = createServer(selfSigned());
    await new Promise<void>((resolve) => {
      server.listen(0, ownAddress, resolve);
    });
    const api = new AggregatedApi(server, namespace, group);
    await api.#register();
    await vi.waitFor(() => api.#assertAvailable(), patience);
    return api;
  }

  /** Takes the API off the API server. */
  async unregister(): Promise<void> {
    await this.#namespace.api.delete(`${apiServices}/${this.#name}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.unregister();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  get #name(): string {
    return `${this.#group.version}.${this.#group.group}`;
  }

  async #register(): Promise<void> {
    const { api, name: namespace } = this.#namespace;
    const { port } = this.#server.address() as { readonly port: number };
    const { group, version } = this.#group;
    const [metadata, ports] = [{ name: "adapter" }, [{ port }]];
    await api.post(`/api/v1/namespaces/${namespace}/services`, { metadata, spec: { ports } });
    const subsets = [{ addresses: [{ ip: ownAddress }], ports }];
    await api.post(`/api/v1/namespaces/${namespace}/endpoints`, { metadata, subsets });
    await api.post(apiServices, {
      metadata: { name: this.#name },
      spec: {
        group,
        version,
        service: { namespace, name: "adapter", port },
        insecureSkipTLSVerify: true,
        groupPriorityMinimum: 100,
        versionPriority: 100,
      },
    });
  }

  async #assertAvailable(): Promise<void> {
    interface Condition {
      readonly type: string;
      readonly status: string;
      readonly message?: string;
    }
    const path = `${apiServices}/${this.#name}`;
    const { status } = await this.#namespace.api.get<{ status?: { conditions?: readonly Condition[] } }>(path);
    const available = status?.conditions?.find(({ type }) => type === "Available");
    if (available?.status !== "True") throw new Error(`the API is not available: ${String(available?.message)}`);
  }

  #answer({ url = "/" }: IncomingMessage, response: ServerResponse): void {
    response.setHeader("content-type", "application/json");
    const { group, version, listKind } = this.#group;
    const groupVersion = `${group}/${version}`;
    if (!url.includes("/namespaces/"))
      return void response.end(
        JSON.stringify({ kind: "APIResourceList", apiVersion: "v1", groupVersion, resources: [] }),
      );
    this.asked.push(decodeURIComponent(url));
    if (this.items === undefined) return void response.writeHead(500).end("{}");
    const list = { kind: listKind, apiVersion: groupVersion, metadata: {}, items: this.items() };
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
