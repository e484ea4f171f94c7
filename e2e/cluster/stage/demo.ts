import { readFileSync } from "node:fs";
import { fetch } from "undici";
import { until } from "../../harness/until.ts";
import { nodePath } from "../../kubernetes/build-image.ts";
import { slicesPath } from "../../kubernetes/slices-path.ts";
import type { ApiList, ApiObject, PodObject, TestApi } from "../../kubernetes/test-api.ts";
import { createNamespace } from "../../kubernetes/test-namespace.ts";
import type { TestNamespace } from "../../kubernetes/test-namespace.ts";
import { canConnect } from "../caller/can-connect.ts";
import { type Burst, type BurstResult, sendBurst } from "../caller/send-burst.ts";

/** Annotations of the Deployment, without `dormouse.dev/`. */
type Policy = Readonly<Record<string, string>>;

/** What a demo is made of. */
export interface DemoOptions {
  readonly kubeconfig: string;
  /** Folder on the node in which ledgers are kept. */
  readonly ledgers: string;
  readonly policy: Policy;
  readonly replicas?: number;
  /** How long a Pod takes until it listens; at once unless given. */
  readonly startMs?: number;
}

/** The Deployment as far as proofs look at it. */
export interface WebDeployment extends ApiObject {
  readonly spec: { readonly replicas: number; readonly template: { readonly metadata: object } };
  readonly status: {
    readonly replicas?: number;
    readonly readyReplicas?: number;
    readonly updatedReplicas?: number;
    readonly observedGeneration?: number;
  };
}

interface Service extends ApiObject {
  readonly spec: { readonly clusterIP: string; readonly selector: Readonly<Record<string, string>> };
}

/** One of the Service's EndpointSlices. */
export interface Slice extends ApiObject {
  readonly endpoints?: readonly { readonly addresses: readonly string[] }[] | null;
  readonly ports?: readonly { readonly port: number }[] | null;
}

/** How long one change of state may take, with everything that a proof does to the cluster meanwhile. */
const patienceMs = 60_000;

const labels = { app: "web" };

/**
 * A Deployment `web` of a plain HTTP server with its Service in a namespace of its own, and a Pod there that calls it by
 * its bare name.
 */
export class Demo implements AsyncDisposable {
  readonly name: string;
  readonly ref: string;
  readonly #namespace: TestNamespace;
  #clusterIp = "";
  #callerIp = "";

  private constructor(namespace: TestNamespace) {
    this.#namespace = namespace;
    this.name = namespace.name;
    this.ref = `k8s/${namespace.name}/web`;
  }

  static async open(options: DemoOptions): Promise<Demo> {
    const demo = new Demo(await createNamespace(options.kubeconfig));
    try {
      await demo.#create(options);
      return demo;
    } catch (error) {
      await demo[Symbol.asyncDispose]();
      throw error;
    }
  }

  get api(): TestApi {
    return this.#namespace.api;
  }

  /** Where the Service is for those who cannot resolve its name. */
  get origin(): string {
    return `http://${this.#clusterIp}`;
  }

  /** A burst from this machine by the ClusterIP. */
  async fromHost(burst: Omit<Burst, "origin">): Promise<BurstResult> {
    return sendBurst({ origin: this.origin, ...burst });
  }

  /** A burst from the Pod by the Service's bare name. */
  async fromPod(burst: Omit<Burst, "origin">): Promise<BurstResult> {
    const answer = await fetch(`http://${this.#callerIp}:9090/burst`, {
      method: "POST",
      body: JSON.stringify({ origin: "http://web", ...burst }),
    });
    if (!answer.ok) throw new Error(`the calling Pod failed: ${await answer.text()}`);
    return (await answer.json()) as BurstResult;
  }

  /** Ids of all requests that the service executed, in order, whichever Pod it was. */
  async ledger(): Promise<readonly string[]> {
    const text = await (await fetch(`http://${this.#callerIp}:9090/ledger`)).text();
    return text.split("\n").flatMap((line) => (line === "" ? [] : [line.split(" ")[0] ?? ""]));
  }

  deployment(): Promise<WebDeployment> {
    return this.api.get(`${this.#apps}/web`);
  }

  patch(body: object): Promise<WebDeployment> {
    return this.api.patch(`${this.#apps}/web`, body);
  }

  service(): Promise<Service> {
    return this.api.get(`/api/v1/namespaces/${this.name}/services/web`);
  }

  patchService(body: object): Promise<ApiObject> {
    return this.api.patch(`/api/v1/namespaces/${this.name}/services/web`, body);
  }

  /** Dormouse's own slices of the Service. */
  async slices(): Promise<readonly Slice[]> {
    const selector = encodeURIComponent("endpointslice.kubernetes.io/managed-by=dormouse.dev");
    const path = await slicesPath(this.api, this.name);
    return (await this.api.get<ApiList<Slice>>(`${path}?labelSelector=${selector}`)).items;
  }

  async deleteSlice({ metadata: { name } }: Slice): Promise<void> {
    await this.api.delete(`${await slicesPath(this.api, this.name)}/${name}`);
  }

  /** What the API server says about it, for whoever has to find out why something failed. Never rejects. */
  async account(): Promise<string> {
    const parts = await Promise.allSettled([this.deployment(), this.service(), this.slices(), this.allPods()]);
    return parts
      .map((part) => (part.status === "fulfilled" ? JSON.stringify(part.value) : String(part.reason)))
      .join("\n");
  }

  /** Pods of the Deployment, those that end included. */
  async allPods(): Promise<readonly PodObject[]> {
    const path = `/api/v1/namespaces/${this.name}/pods?labelSelector=app%3Dweb`;
    return (await this.api.get<ApiList<PodObject>>(path)).items;
  }

  /** Those that stay. */
  async pods(): Promise<readonly PodObject[]> {
    return (await this.allPods()).filter(({ metadata }) => !("deletionTimestamp" in metadata));
  }

  /** Resolves once no replica is wanted. */
  async untilAsleep(withinMs = patienceMs): Promise<void> {
    await this.#until("it slept", ({ spec }) => spec.replicas === 0, withinMs);
  }

  /** Resolves once as many are ready as are wanted, and at least one. */
  async untilAwake(): Promise<void> {
    await this.#until(
      "it was awake",
      ({ metadata, spec, status }) =>
        spec.replicas > 0 &&
        status.readyReplicas === spec.replicas &&
        status.observedGeneration === metadata.generation,
    );
  }

  /** The Service's traffic as it is now: whether the DLXs are in it, and whether its own Pods are kept out. */
  async route(): Promise<{ readonly hasDlxs: boolean; readonly hasKey: boolean }> {
    const addresses = (await this.slices()).flatMap(({ endpoints }) => endpoints ?? []);
    const { selector } = (await this.service()).spec;
    return { hasDlxs: addresses.length > 0, hasKey: Object.keys(selector).length > 1 };
  }

  /** Resolves once the Service's traffic goes to its Pods, or to the DLXs. */
  async untilTrafficGoesTo(where: "pods" | "dlx"): Promise<void> {
    await until(
      `traffic of ${this.ref} went to ${where}`,
      async () => {
        const { hasDlxs, hasKey } = await this.route();
        return where === "dlx" ? hasDlxs : !hasDlxs && !hasKey;
      },
      patienceMs,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#namespace[Symbol.asyncDispose]();
  }

  get #apps(): string {
    return `/apis/apps/v1/namespaces/${this.name}/deployments`;
  }

  async #until(what: string, is: (deployment: WebDeployment) => boolean, withinMs = patienceMs): Promise<void> {
    let last: WebDeployment | undefined;
    const describe = (): string =>
      `${what} (${this.ref}: wanted ${String(last?.spec.replicas)}, ready ${String(last?.status.readyReplicas ?? 0)})`;
    await until(
      describe,
      async () => {
        last = await this.deployment().catch(() => undefined);
        return last !== undefined && is(last);
      },
      withinMs,
    );
  }

  async #create({ policy, replicas = 1, startMs = 0, ledgers }: DemoOptions): Promise<void> {
    const services = `/api/v1/namespaces/${this.name}/services`;
    const service = await this.api.post<Service>(services, {
      metadata: { name: "web" },
      spec: { selector: labels, ports: [{ port: 80, targetPort: 8080 }] },
    });
    this.#clusterIp = service.spec.clusterIP;
    const ledger = { hostPath: { path: `${ledgers}/${this.name}`, type: "DirectoryOrCreate" }, name: "ledger" };
    await this.api.post(this.#apps, {
      metadata: { name: "web", annotations: toAnnotations(policy) },
      spec: {
        replicas,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: webPod(ledger, startMs) },
      },
    });
    await this.#createCaller(ledger);
    // It may be asleep again already.
    await this.#until("it was ready or asleep", ({ spec, status }) => spec.replicas === 0 || isUp(status, replicas));
    await this.#untilReachable();
  }

  /**
   * The nodes may lag behind with a new Service. The kernel remembers where it led a connection's first packet: one that
   * sets out before the Service's rules are there never arrives, however often it is sent again.
   */
  async #untilReachable(): Promise<void> {
    await until(
      `the Service of ${this.ref} took a connection from this machine and from a Pod`,
      async () => {
        const fromPod = await fetch(`http://${this.#callerIp}:9090/connects`);
        return (await fromPod.text()) === "true" && (await canConnect(this.#clusterIp, 80));
      },
      patienceMs,
    );
  }

  async #createCaller(ledger: { readonly name: string }): Promise<void> {
    const files = ["can-connect.ts", "send-burst.ts", "serve-caller.ts"].map(
      (name) => [name, readFileSync(new URL(`../caller/${name}`, import.meta.url), "utf8")] as const,
    );
    await this.api.post(`/api/v1/namespaces/${this.name}/configmaps`, {
      metadata: { name: "caller" },
      data: Object.fromEntries(files),
    });
    const pods = `/api/v1/namespaces/${this.name}/pods`;
    await this.api.post(pods, { metadata: { name: "caller" }, spec: callerPod(this.#clusterIp, ledger) });
    this.#callerIp = await until(
      "the calling Pod answered at its own address, which this machine has to reach",
      async () => {
        const { status } = await this.api.get<PodObject>(`${pods}/caller`);
        const ip = status.podIP ?? "";
        const answers =
          ip !== "" &&
          (await fetch(`http://${ip}:9090/`).then(
            (answer) => answer.ok,
            () => false,
          ));
        return answers && ip;
      },
      patienceMs,
    );
  }
}

function isUp({ readyReplicas = 0 }: WebDeployment["status"], replicas: number): boolean {
  return readyReplicas === replicas;
}

function toAnnotations(policy: Policy): Readonly<Record<string, string>> {
  const all = { enabled: "true", "min-awake": "0s", ...policy };
  return Object.fromEntries(Object.entries(all).map(([key, value]) => [`dormouse.dev/${key}`, value]));
}

const image = { image: "localhost/test-app:1", imagePullPolicy: "Never" };

function webPod(ledger: { readonly name: string }, startMs: number): object {
  return {
    terminationGracePeriodSeconds: 10,
    // The folder of the ledger belongs to root.
    securityContext: { runAsUser: 0 },
    containers: [
      {
        name: "web",
        ...image,
        env: [
          { name: "LEDGER_FILE", value: "/ledger/requests" },
          { name: "START_MS", value: String(startMs) },
        ],
        ports: [{ name: "http", containerPort: 8080 }],
        readinessProbe: { httpGet: { path: "/healthz", port: "http" }, periodSeconds: 1 },
        resources: { requests: { cpu: "10m" } },
        volumeMounts: [{ name: ledger.name, mountPath: "/ledger" }],
      },
    ],
    volumes: [ledger],
  };
}

function callerPod(clusterIp: string, ledger: { readonly name: string }): object {
  return {
    terminationGracePeriodSeconds: 1,
    hostAliases: [{ ip: clusterIp, hostnames: ["web"] }],
    containers: [
      {
        name: "caller",
        ...image,
        command: [nodePath, "/caller/serve-caller.ts"],
        volumeMounts: [
          { name: "caller", mountPath: "/caller" },
          { name: ledger.name, mountPath: "/ledger", readOnly: true },
        ],
      },
    ],
    volumes: [{ name: "caller", configMap: { name: "caller" } }, ledger],
  };
}
