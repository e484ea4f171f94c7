import { fetch } from "undici";
import type { ScaleEvent } from "@dormouse/core";
import { until } from "../../harness/until.ts";
import type { ApiList, PodObject, TestApi } from "../../kubernetes/test-api.ts";
import { releaseName, releaseNamespace } from "./release.ts";

/** A pod of Dormouse. */
export interface HostPod {
  readonly name: string;
  readonly uid: string;
  readonly ip: string;
  /** How often the kubelet has started it again. */
  readonly restarts: number;
}

/** Counts of one DLX for one resource. */
export interface DlxCounts {
  readonly inFlight: number;
  readonly held: number;
  readonly requests: number;
}

type ResourceCounts = DlxCounts & { readonly ref: string };

type Component = "dlx" | "autoscaler";

interface Pod extends PodObject {
  readonly metadata: PodObject["metadata"] & { readonly deletionTimestamp?: string };
  readonly status: PodObject["status"] & {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly { readonly restartCount: number }[];
  };
}

/** Dormouse's own pods and their admin API, with the token that the chart made. */
export class Hosts {
  readonly #api: TestApi;
  #token: string | undefined;

  constructor(api: TestApi) {
    this.#api = api;
  }

  /** Pods of one part that are ready and stay. */
  async pods(component: Component): Promise<readonly HostPod[]> {
    const labels = `app.kubernetes.io/instance=${releaseName},app.kubernetes.io/component=${component}`;
    const { items } = await this.#api.get<ApiList<Pod>>(
      `/api/v1/namespaces/${releaseNamespace}/pods?labelSelector=${encodeURIComponent(labels)}`,
    );
    return items
      .filter(({ metadata, status }) => metadata.deletionTimestamp === undefined && isReady(status))
      .map(({ metadata: { name, uid }, status: { podIP = "", containerStatuses = [] } }) => {
        return { name, uid, ip: podIP, restarts: containerStatuses[0]?.restartCount ?? 0 };
      });
  }

  /** Resolves once so many of a part are ready. */
  async untilReady(component: Component, count = 2): Promise<readonly HostPod[]> {
    return until(
      `${String(count)} ${component} pods were ready`,
      async () => {
        const pods = await this.pods(component).catch(() => []);
        return pods.length === count && pods;
      },
      60_000,
    );
  }

  /** Resolves once the kubelet has noticed that the process of a pod was killed: until then its Services lead there too. */
  async untilNoticed(component: Component, { uid, restarts }: HostPod): Promise<void> {
    await until(
      "the kubelet noticed the killed process",
      async () => {
        const pods = await this.pods(component).catch(() => undefined);
        const found = pods?.find((each) => each.uid === uid);
        return pods !== undefined && (found === undefined || found.restarts > restarts);
      },
      60_000,
    );
  }

  /** The autoscaler that leads. */
  async leader(): Promise<HostPod> {
    return until(
      "an autoscaler that is there led",
      async () => {
        const lease = await this.#api.get<{ readonly spec: { readonly holderIdentity?: string } }>(
          `/apis/coordination.k8s.io/v1/namespaces/${releaseNamespace}/leases/${releaseName}-autoscaler`,
        );
        const holder = lease.spec.holderIdentity ?? "";
        return (await this.pods("autoscaler")).find(({ name }) => holder.startsWith(`${name}_`));
      },
      60_000,
    );
  }

  /** Asks the leader to put a resource to sleep, as `dormouse sleep` does. */
  async sleep(ref: string): Promise<ScaleEvent> {
    const { ip } = await this.leader();
    return (await this.ask(ip, "POST", `/v1/resources/${ref}/sleep`)) as ScaleEvent;
  }

  /** What all DLXs have of one resource, together. */
  async counts(ref: string, pods?: readonly HostPod[]): Promise<DlxCounts> {
    const sum = { inFlight: 0, held: 0, requests: 0 };
    for (const { ip } of pods ?? (await this.pods("dlx"))) {
      const found = (await this.#activity(ip)).find((each) => each.ref === ref);
      sum.inFlight += found?.inFlight ?? 0;
      sum.held += found?.held ?? 0;
      sum.requests += found?.requests ?? 0;
    }
    return sum;
  }

  /** What the leader says about a resource. */
  async why(ref: string): Promise<string> {
    const { ip } = await this.leader();
    return JSON.stringify(await this.ask(ip, "GET", `/v1/resources/${ref}/why`));
  }

  /** What the leader and each DLX say about a resource, for whoever has to find out why something failed. Never rejects. */
  async account(ref: string): Promise<string> {
    const pods = await this.pods("dlx").catch(() => []);
    const ofDlx = async ({ name, ip }: HostPod): Promise<string> => {
      const found = (await this.#activity(ip)).find((each) => each.ref === ref);
      return `${name}: ${found === undefined ? "knows nothing of it" : JSON.stringify(found)}`;
    };
    const parts = await Promise.allSettled([this.why(ref), ...pods.map(ofDlx)]);
    return parts.map((part) => (part.status === "fulfilled" ? part.value : String(part.reason))).join("\n");
  }

  /** One call of a pod's admin API; rejects where it does not answer with 2xx. */
  async ask(ip: string, method: "GET" | "POST", path: string): Promise<unknown> {
    this.#token ??= await this.#readToken();
    const answer = await fetch(`http://${ip}:8081${path}`, {
      method,
      headers: { authorization: `Bearer ${this.#token}` },
      signal: AbortSignal.timeout(60_000),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${String(answer.status)} ${text.slice(0, 500)}`);
    return JSON.parse(text);
  }

  async #activity(ip: string): Promise<readonly ResourceCounts[]> {
    const { resources } = (await this.ask(ip, "GET", "/v1/activity")) as {
      readonly resources: readonly ResourceCounts[];
    };
    return resources;
  }

  async #readToken(): Promise<string> {
    const { data } = await this.#api.get<{ readonly data: { readonly token: string } }>(
      `/api/v1/namespaces/${releaseNamespace}/secrets/${releaseName}-token`,
    );
    return Buffer.from(data.token, "base64").toString();
  }
}

function isReady({ conditions = [] }: Pod["status"]): boolean {
  return conditions.some(({ type, status }) => type === "Ready" && status === "True");
}
