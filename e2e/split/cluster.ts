import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "../harness/free-port.ts";
import { Traffic } from "../harness/traffic.ts";
import { SharedPlatform } from "./shared-platform.ts";
import { SplitHost } from "./split-host.ts";

const plugin = fileURLToPath(new URL("shared-plugin.ts", import.meta.url));

/** How long the service has to be unused, in ms. */
export const idleAfterMs = 300;

/** A DLX with a client of its own. */
export interface SplitDlx extends SplitHost {
  readonly client: Traffic;
}

/** Two DLXs and two autoscalers, each a process, over a platform that all of them share. */
export class Cluster implements AsyncDisposable {
  readonly platform: SharedPlatform;
  readonly dlxs: readonly SplitDlx[];
  readonly autoscalers: readonly SplitHost[];
  readonly #folder: string;

  private constructor(
    platform: SharedPlatform,
    dlxs: readonly SplitDlx[],
    autoscalers: readonly SplitHost[],
    folder: string,
  ) {
    this.platform = platform;
    this.dlxs = dlxs;
    this.autoscalers = autoscalers;
    this.#folder = folder;
  }

  static async open(): Promise<Cluster> {
    const platform = await SharedPlatform.open();
    const folder = mkdtempSync(join(tmpdir(), "dormouse-split-"));
    const configFile = join(folder, "dormouse.yaml");
    const dlxs = await Promise.all(["dlx-a", "dlx-b"].map((id) => planDlx(id, configFile)));
    const autoscalers = await Promise.all(["one", "two"].map((id) => planAutoscaler(id, configFile)));
    const listed = dlxs.map(({ id, admin: url }) => ({ id, url }));
    writeFileSync(configFile, JSON.stringify(configOf(platform, listed)));
    const cluster = new Cluster(platform, dlxs, autoscalers, folder);
    try {
      await Promise.all([...dlxs, ...autoscalers].map((host) => host.start()));
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  get hosts(): readonly SplitHost[] {
    return [...this.dlxs, ...this.autoscalers];
  }

  /** The autoscaler that holds the lease. */
  get leader(): SplitHost | undefined {
    return this.autoscalers.find(({ id }) => id === this.platform.leader);
  }

  /** What speaks against "each request was answered, and executed once"; empty: nothing. */
  discrepancies(): readonly string[] {
    const sent = this.dlxs.flatMap(({ client }) => client.sent);
    const missing = sent.filter(({ outcome }) => outcome !== "answered").map((one) => JSON.stringify(one));
    const { executed, broken } = this.platform;
    const twice = executed.filter((id, index) => executed.indexOf(id) < index).map((id) => `${id} was executed twice`);
    return [...missing, ...twice, ...(broken === 0 ? [] : [`${broken} requests were broken by a stop`])];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { client } of this.dlxs) await client[Symbol.asyncDispose]();
    await Promise.all(this.hosts.map((host) => host[Symbol.asyncDispose]()));
    await this.platform[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function planDlx(id: string, configFile: string): Promise<SplitDlx> {
  const [port, adminPort] = [await freePort(), await freePort()];
  const args = ["--listen", `127.0.0.1:${port}`, "--set", `cluster.peers.options.self=${id}`];
  const host = new SplitHost({ role: "dlx", id, configFile, adminPort, args });
  const client = new Traffic({ origin: `http://127.0.0.1:${port}`, host: "shop.test", limitMs: 50_000 });
  return Object.assign(host, { client });
}

async function planAutoscaler(id: string, configFile: string): Promise<SplitHost> {
  const args = ["--set", `cluster.leader.options.id=${id}`];
  return new SplitHost({ role: "autoscaler", id, configFile, adminPort: await freePort(), args });
}

function configOf(platform: SharedPlatform, dlxs: readonly { readonly id: string; readonly url: string }[]): object {
  const policy = { hosts: ["shop.test"], idleAfter: `${idleAfterMs}ms`, minAwake: "0" };
  return {
    scalers: [{ use: plugin, id: "shared", options: { url: platform.url, policy } }],
    dlx: { stopGrace: "500ms", drainTimeout: "10s" },
    autoscaler: { every: "60ms" },
    cluster: {
      peers: { use: "static", options: { dlxs } },
      leader: { use: plugin, options: { url: platform.url } },
    },
    log: { level: "debug", format: "json" },
  };
}
