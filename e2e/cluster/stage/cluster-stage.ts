import { openClientTools } from "../../kubernetes/client-tools.ts";
import type { ClientTools } from "../../kubernetes/client-tools.ts";
import type { Image } from "../../kubernetes/build-image.ts";
import { openCluster } from "../../kubernetes/open-cluster.ts";
import type { TestCluster } from "../../kubernetes/open-cluster.ts";
import { openTestApi } from "../../kubernetes/test-api.ts";
import type { ApiList, TestApi } from "../../kubernetes/test-api.ts";
import { Demo, type DemoOptions } from "./demo.ts";
import { Hosts } from "./hosts.ts";
import { MetricsAdapter } from "./metrics-adapter.ts";
import { installRelease, uninstallRelease } from "./release.ts";

/** What the demo of one proof is. */
export type DemoPlan = Pick<DemoOptions, "policy" | "replicas" | "startMs"> & {
  /** Whether the metrics adapter measures it. */
  readonly isMeasured?: boolean;
};

/** A cluster with Dormouse on it, installed by helm from the working tree. */
export class ClusterStage implements AsyncDisposable {
  readonly cluster: TestCluster;
  readonly api: TestApi;
  readonly tools: ClientTools;
  readonly hosts: Hosts;
  /** Undefined where pods cannot reach this machine: a foreign cluster, without HOST_ADDRESS. */
  readonly adapter: MetricsAdapter | undefined;
  readonly #open: Opened;

  private constructor(parts: Pick<ClusterStage, "cluster" | "api" | "tools" | "adapter">, open: Opened) {
    this.cluster = parts.cluster;
    this.api = parts.api;
    this.tools = parts.tools;
    this.adapter = parts.adapter;
    this.hosts = new Hosts(parts.api);
    this.#open = open;
  }

  /**
   * @param nodes of a cluster of our own
   * @param say is told of each step
   */
  static async open(
    nodes: number,
    images: () => Promise<readonly Image[]>,
    say: (what: string) => void,
  ): Promise<ClusterStage> {
    const open: Opened = [];
    try {
      const cluster = await openCluster(nodes);
      open.push(cluster);
      const api = openTestApi(cluster.kubeconfig);
      open.push(api);
      say(`the cluster is up: ${await describeCluster(api)}, ${cluster.kubeconfig}`);
      const tools = await openClientTools(cluster.kubeconfig);
      open.push({ [Symbol.asyncDispose]: async () => tools[Symbol.dispose]() });
      for (const image of await images()) {
        await cluster.loadImage(image);
        say(`${image.name} is loaded`);
      }
      const address = cluster.isForeign ? process.env["HOST_ADDRESS"] : "10.199.0.1";
      const adapter = address === undefined ? undefined : await MetricsAdapter.open(api, address);
      if (adapter !== undefined) open.push(adapter);
      // Our own cluster goes as a whole.
      if (cluster.isForeign) open.push({ [Symbol.asyncDispose]: () => uninstallRelease(tools) });
      await installRelease(tools);
      say("Dormouse is installed by helm");
      return new ClusterStage({ cluster, api, tools, adapter }, open);
    } catch (error) {
      await closeAll(open);
      throw error;
    }
  }

  /** Makes a demo for each plan, beside each other; they go once they were used. */
  async withDemos<Result>(
    plans: readonly DemoPlan[],
    use: (first: Demo, ...others: readonly Demo[]) => Promise<Result>,
  ): Promise<Result> {
    const made = await Promise.allSettled(plans.map((plan) => this.#makeDemo(plan)));
    const demos = made.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
    try {
      for (const each of made) if (each.status === "rejected") throw each.reason;
      const [first, ...others] = demos;
      if (first === undefined) throw new Error("a proof has one demo at least");
      return await use(first, ...others);
    } finally {
      for (const demo of demos) await demo[Symbol.asyncDispose]();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await closeAll(this.#open);
  }

  async #makeDemo({ isMeasured = false, ...plan }: DemoPlan): Promise<Demo> {
    const { kubeconfig, folder } = this.cluster;
    const demo = await Demo.open({ kubeconfig, ledgers: `${folder ?? "/var/tmp"}/ledgers`, ...plan });
    if (isMeasured) this.adapter?.watch(demo.name);
    return demo;
  }
}

type Opened = AsyncDisposable[];

/** `Kubernetes v1.20.2, 1 node` */
async function describeCluster(api: TestApi): Promise<string> {
  const { gitVersion } = await api.get<{ readonly gitVersion: string }>("/version");
  const { length } = (await api.get<ApiList>("/api/v1/nodes")).items;
  return `Kubernetes ${gitVersion}, ${String(length)} ${length === 1 ? "node" : "nodes"}`;
}

/** The last one first; the first failure is thrown once all are closed. */
async function closeAll(open: Opened): Promise<void> {
  const failures: unknown[] = [];
  for (const each of open.toReversed()) {
    try {
      await each[Symbol.asyncDispose]();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
