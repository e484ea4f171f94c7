import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { systemClock } from "@dormouse/core";
import {
  type ApiServer,
  makePodReady,
  openApiServer,
  openTestApi,
  slicesPath,
  type TestApi,
} from "@dormouse/test-kubernetes";
import { parse, stringify } from "yaml";
import { AuditLog } from "./audit-log.ts";
import { forEachAtOnce } from "./for-each-at-once.ts";
import { deploymentOf, dlxPod, dlxService, dlxSlice, enabledAnnotation, quietStatus, serviceOf } from "./manifests.ts";

/** Where the hosts are in the cluster. */
export const hostNamespace = "dormouse";

/** Requests of the bench itself that run at once. */
const concurrency = 24;

/** How much there is of everything. */
export interface WorldSize {
  readonly workloads: number;
  readonly namespaces: number;
}

/** Those whose requests are counted. */
export type HostName = "dlx" | "autoscaler";

interface Listed {
  readonly metadata: { readonly namespace: string; readonly name: string };
}

interface Slice extends Listed {
  readonly endpoints?: readonly unknown[] | null;
}

/** An API server with Deployments that sleep, each with a Service, and with what stands for one DLX. */
export class ScaleWorld implements AsyncDisposable {
  readonly audit: AuditLog;
  /** Address of this machine that is not loopback, which endpoints may not be. */
  readonly address: string;
  readonly #server: ApiServer;
  readonly #api: TestApi;
  readonly #names: readonly { readonly namespace: string; readonly name: string }[];
  readonly #kubeconfigs: Readonly<Record<HostName, string>>;

  private constructor(
    server: ApiServer,
    audit: AuditLog,
    kubeconfigs: Readonly<Record<HostName, string>>,
    { workloads, namespaces }: WorldSize,
  ) {
    this.#server = server;
    this.audit = audit;
    this.#kubeconfigs = kubeconfigs;
    this.#api = openTestApi(server.kubeconfig);
    this.address = ownAddress();
    this.#names = Array.from({ length: workloads }, (_, index) => ({
      namespace: `team-${String(index % namespaces)}`,
      name: `service-${String(index)}`,
    }));
  }

  /** @param folder for the audit log and the hosts' access */
  static async open(folder: string, size: WorldSize): Promise<ScaleWorld> {
    const tokens = { dlx: randomBytes(16).toString("hex"), autoscaler: randomBytes(16).toString("hex") };
    const audit = new AuditLog(folder, Object.keys(tokens));
    const lines = Object.entries(tokens).map(([name, token]) => `${token},${name},${name},"system:masters"`);
    const server = await openApiServer({ hasControllers: false, tokens: lines.join("\n"), apiFlags: audit.flags });
    const kubeconfigs = {
      dlx: writeKubeconfig(server.kubeconfig, join(folder, "dlx.kubeconfig"), tokens.dlx),
      autoscaler: writeKubeconfig(server.kubeconfig, join(folder, "autoscaler.kubeconfig"), tokens.autoscaler),
    };
    const world = new ScaleWorld(server, audit, kubeconfigs, size);
    try {
      await world.#fill(size.namespaces);
      return world;
    } catch (error) {
      await world[Symbol.asyncDispose]();
      throw error;
    }
  }

  get workloads(): number {
    return this.#names.length;
  }

  /** Access as this host. */
  kubeconfig(host: HostName): string {
    return this.#kubeconfigs[host];
  }

  /** Annotates every Deployment, many at once. */
  async enable(): Promise<void> {
    const body = { metadata: { annotations: { [enabledAnnotation]: "true" } } };
    await forEachAtOnce(this.#names, concurrency, async ({ namespace, name }) => {
      await this.#api.patch(`/apis/apps/v1/namespaces/${namespace}/deployments/${name}`, body);
    });
  }

  /** How many Services have a slice of Dormouse's, and how many of those lead to a DLX. */
  async slices(): Promise<{ readonly made: number; readonly filled: number }> {
    const items = await this.#slices();
    return { made: items.length, filled: items.filter(({ endpoints }) => (endpoints ?? []).length > 0).length };
  }

  /** Takes away all that Dormouse has written on slices, Services and Deployments; they stay enabled. No host may run. */
  async forget(): Promise<void> {
    const annotations = Object.fromEntries(
      ["route", "epoch", "wake-replicas"].map((key) => [`dormouse.dev/${key}`, null]),
    );
    const slices = await this.#slices();
    await forEachAtOnce(slices, concurrency, async ({ metadata: { namespace, name } }) => {
      await this.#api.delete(`${await slicesPath(this.#api, namespace)}/${name}`);
    });
    await forEachAtOnce(this.#names, concurrency, async ({ namespace, name }) => {
      const selector = { "dormouse.dev/diverted": null };
      await this.#api.patch(`/api/v1/namespaces/${namespace}/services/${name}`, {
        metadata: { annotations },
        spec: { selector },
      });
      await this.#api.patch(`/apis/apps/v1/namespaces/${namespace}/deployments/${name}`, { metadata: { annotations } });
    });
    await this.#api.delete(`/api/v1/namespaces/${hostNamespace}/configmaps/dormouse-state`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#api[Symbol.asyncDispose]();
    await this.#server[Symbol.asyncDispose]();
  }

  async #fill(namespaces: number): Promise<void> {
    const api = this.#api;
    const all = [hostNamespace, ...Array.from({ length: namespaces }, (_, index) => `team-${String(index)}`)];
    await forEachAtOnce(
      all,
      concurrency,
      async (name) => void (await api.post("/api/v1/namespaces", { metadata: { name } })),
    );
    await api.post(`/api/v1/namespaces/${hostNamespace}/services`, dlxService);
    await api.post(await slicesPath(api, hostNamespace), dlxSlice(this.address));
    await api.post(`/api/v1/namespaces/${hostNamespace}/pods`, dlxPod);
    const namespace = {
      name: hostNamespace,
      kubeconfig: this.#server.kubeconfig,
      api,
      [Symbol.asyncDispose]: async () => {},
    };
    await makePodReady(namespace, "dormouse-dlx-0", { podIp: this.address });
    await forEachAtOnce(this.#names, concurrency, async (each) => {
      await api.post(`/api/v1/namespaces/${each.namespace}/services`, serviceOf(each.name));
      await api.post(`/apis/apps/v1/namespaces/${each.namespace}/deployments`, deploymentOf(each.name));
      const path = `/apis/apps/v1/namespaces/${each.namespace}/deployments/${each.name}/status`;
      await api.patch(path, { status: quietStatus });
    });
    await systemClock.sleep(1_000);
  }

  async #slices(): Promise<readonly Slice[]> {
    const selector = encodeURIComponent("endpointslice.kubernetes.io/managed-by=dormouse.dev");
    const path = `${await slicesPath(this.#api)}?labelSelector=${selector}`;
    return (await this.#api.get<{ readonly items: readonly Slice[] }>(path)).items;
  }
}

interface Kubeconfig {
  readonly contexts: readonly { readonly name: string; readonly context: object }[];
}

function writeKubeconfig(admin: string, file: string, token: string): string {
  const config = parse(readFileSync(admin, "utf8")) as Kubeconfig;
  const contexts = config.contexts.map(({ name, context }) => ({
    name,
    context: { ...context, namespace: hostNamespace },
  }));
  writeFileSync(file, stringify({ ...config, contexts, users: [{ name: "test", user: { token } }] }), { mode: 0o600 });
  return file;
}

function ownAddress(): string {
  const found = Object.values(networkInterfaces())
    .flat()
    .find((each) => each?.family === "IPv4" && !each.internal);
  if (found === undefined) throw new Error("this machine has no IPv4 address besides loopback, and endpoints need one");
  return found.address;
}
