import { type Milliseconds, ScalerError } from "@dormouse/core";
import { apiPath } from "../api-call.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { KubeError } from "../kube-error.ts";
import { parseGoDuration } from "./parse-go-duration.ts";
import { parseQuantity } from "./parse-quantity.ts";

const groupVersion = "metrics.k8s.io/v1beta1";

/** What a pod used: cores and bytes of all its containers. */
export interface Usage {
  readonly cpu: number;
  readonly memory: number;
}

/** A pod's use as the resource metrics API has it. */
export interface PodMetrics {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly usage: Usage;
  /** Epoch ms by the clock of the metrics server: the end of what was measured. */
  readonly at: number;
  /** How much time before it was measured. */
  readonly windowMs: Milliseconds;
}

/** All pods of a namespace that could be read, and what is wrong with the others, by name. */
export interface PodMetricsList {
  readonly pods: readonly PodMetrics[];
  readonly problems: readonly string[];
}

/** Of `metrics.k8s.io` (https://github.com/kubernetes/metrics), as an answer may have it. */
interface RawPod {
  readonly metadata?: { readonly name?: unknown; readonly labels?: unknown };
  readonly timestamp?: unknown;
  readonly window?: unknown;
  readonly containers?: unknown;
}

/**
 * The use of all pods of a namespace, by one request.
 * Rejects with `SCALER_UNSUPPORTED` where no metrics server is installed, else with what the API rejects with.
 */
export async function listPodMetrics(
  cluster: Pick<Cluster, "request">,
  namespace: string,
  options: { readonly signal: AbortSignal; readonly deadlineMs: Milliseconds },
): Promise<PodMetricsList> {
  const path = apiPath(groupVersion, "pods", { namespace });
  const answer = await cluster.request<unknown>("GET", path, options).catch((error: unknown) => {
    if (error instanceof KubeError && error.status === 404) throw toMissingError(error);
    throw error;
  });
  const items: unknown = typeof answer === "object" && answer !== null ? Reflect.get(answer, "items") : undefined;
  if (!Array.isArray(items))
    throw new ScalerError("SCALER_UNAVAILABLE", "the answer of the resource metrics API has no items");
  const read = items.map((item: unknown) => readPod(item));
  return {
    pods: read.filter((each) => typeof each === "object"),
    problems: read.filter((each) => typeof each === "string"),
  };
}

function toMissingError(cause: unknown): ScalerError {
  const message = `the cluster serves no ${groupVersion}; install a metrics server`;
  return new ScalerError("SCALER_UNSUPPORTED", message, { cause });
}

function readPod(item: unknown): PodMetrics | string {
  const raw = (typeof item === "object" && item !== null ? item : {}) as RawPod;
  const name = raw.metadata?.name;
  if (typeof name !== "string") return "an item that is about no pod";
  const at = typeof raw.timestamp === "string" ? Date.parse(raw.timestamp) : Number.NaN;
  if (Number.isNaN(at)) return `${name} has the time ${JSON.stringify(raw.timestamp)}, which is none`;
  const windowMs = parseGoDuration(raw.window);
  if (windowMs === undefined) return `${name} has the window ${JSON.stringify(raw.window)}, which is no duration`;
  const usage = usageOf(raw.containers);
  return typeof usage === "string" ? `${name} ${usage}` : { name, labels: labelsOf(raw), usage, at, windowMs };
}

function labelsOf({ metadata }: RawPod): Readonly<Record<string, string>> {
  const { labels } = metadata ?? {};
  if (typeof labels !== "object" || labels === null) return {};
  return Object.fromEntries(Object.entries(labels).filter((entry): entry is [string, string] => isText(entry[1])));
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

/** The sum over all containers; a text that says why there is none. */
function usageOf(containers: unknown): Usage | string {
  if (!Array.isArray(containers) || containers.length === 0) return "has no containers";
  let [cpu, memory] = [0, 0];
  for (const container of containers as readonly unknown[]) {
    const { usage } = (container ?? {}) as { readonly usage?: { readonly cpu?: unknown; readonly memory?: unknown } };
    const [cores, bytes] = [parseQuantity(usage?.cpu), parseQuantity(usage?.memory)];
    if (cores === undefined || bytes === undefined) return `has a container that uses ${JSON.stringify(usage)}`;
    cpu += cores;
    memory += bytes;
  }
  return { cpu, memory };
}
