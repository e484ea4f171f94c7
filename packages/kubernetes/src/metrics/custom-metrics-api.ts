import { type Milliseconds, ScalerError } from "@dormouse/core";
import { apiPath } from "../api-call.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { KubeError } from "../kube-error.ts";
import { parseQuantity } from "./parse-quantity.ts";

const group = "custom.metrics.k8s.io";
const versions = ["v1beta2", "v1beta1"];

/** A value as the API gives it, read but not judged. */
export interface CustomMetric {
  /** Name of the object that it is about. */
  readonly object: string;
  /** In the base unit. */
  readonly value: number;
  /** Epoch ms by the adapter's clock. */
  readonly at: number;
  /** Over how much time it was measured; undefined where the adapter does not say. */
  readonly windowMs: Milliseconds | undefined;
}

/** One metric of all objects of one kind in one namespace. */
export interface CustomMetricQuery {
  /** Of the API, as `findVersion` gives it. */
  readonly version: string;
  readonly namespace: string;
  /** `deployments.apps`, `services` */
  readonly resource: string;
  readonly kind: string;
  readonly metric: string;
  readonly selector: string | undefined;
  readonly signal: AbortSignal | undefined;
  readonly deadlineMs: Milliseconds;
}

/** What the API answered: values, and why there are none for other objects. */
export interface CustomMetricAnswer {
  readonly metrics: readonly CustomMetric[];
  readonly problems: readonly string[];
}

/** Of v1beta1 and v1beta2 alike: their members differ in name only. */
interface RawMetric {
  readonly describedObject?: { readonly kind?: unknown; readonly namespace?: unknown; readonly name?: unknown };
  readonly timestamp?: unknown;
  readonly windowSeconds?: unknown;
  readonly window?: unknown;
  readonly value?: unknown;
}

/** The custom metrics API of a cluster, in the newest version that it serves; it may come and go with its adapter. */
export class CustomMetricsApi {
  readonly #cluster: Cluster;
  #version: string | undefined;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** The version to ask by. Rejects with `SCALER_UNSUPPORTED` where no adapter is installed. */
  async findVersion(options: Pick<CustomMetricQuery, "signal" | "deadlineMs">): Promise<string> {
    this.#version ??= await this.#readVersion(options);
    return this.#version;
  }

  /** Rejects with what the API rejects with. */
  async query(query: CustomMetricQuery): Promise<CustomMetricAnswer> {
    const { version, namespace, resource, metric, selector, signal, deadlineMs } = query;
    // The asterisk stands for all objects and must not be escaped.
    const path = `${apiPath(`${group}/${version}`, resource, { namespace })}/*/${encodeURIComponent(metric)}`;
    const options = { query: { metricLabelSelector: selector }, signal, deadlineMs };
    try {
      return readAnswer(await this.#cluster.request<unknown>("GET", path, options), query);
    } catch (error) {
      // Also how a version that is gone looks.
      if (error instanceof KubeError && error.status === 404) this.#version = undefined;
      throw error;
    }
  }

  async #readVersion(options: Pick<CustomMetricQuery, "signal" | "deadlineMs">): Promise<string> {
    const served = await this.#cluster
      .request<{ versions?: readonly { readonly version: string }[] } | undefined>("GET", `/apis/${group}`, options)
      .catch((error: unknown) => {
        if (error instanceof KubeError && error.status === 404) return undefined;
        throw error;
      });
    const version = versions.find((known) => served?.versions?.some((each) => each.version === known));
    if (version !== undefined) return version;
    throw new ScalerError(
      "SCALER_UNSUPPORTED",
      `the cluster serves no ${group} in ${versions.join(" or ")}; install an adapter, for example prometheus-adapter`,
    );
  }
}

function readAnswer(answer: unknown, query: CustomMetricQuery): CustomMetricAnswer {
  const items: unknown = typeof answer === "object" && answer !== null ? Reflect.get(answer, "items") : undefined;
  if (!Array.isArray(items))
    throw new ScalerError("SCALER_UNAVAILABLE", "the answer of the custom metrics API has no items");
  const read = items.map((item: unknown) => readItem(item, query));
  return {
    metrics: read.filter((each) => typeof each === "object"),
    problems: read.filter((each) => typeof each === "string"),
  };
}

/** A value, why it is none, or undefined where it is about something else. */
function readItem(item: unknown, { kind, namespace }: CustomMetricQuery): CustomMetric | string | undefined {
  const { describedObject: about, ...raw } = (typeof item === "object" && item !== null ? item : {}) as RawMetric;
  const object = about?.name;
  if (typeof object !== "string") return "an item that is about no object";
  if (about?.kind !== kind || about.namespace !== namespace) return undefined;
  const value = parseQuantity(raw.value);
  if (value === undefined) return `${object} has the value ${JSON.stringify(raw.value)}, which is no quantity`;
  const at = typeof raw.timestamp === "string" ? Date.parse(raw.timestamp) : Number.NaN;
  if (Number.isNaN(at)) return `${object} has the time ${JSON.stringify(raw.timestamp)}, which is none`;
  const seconds = raw.windowSeconds ?? raw.window ?? undefined;
  if (seconds === undefined) return { object, value, at, windowMs: undefined };
  if (typeof seconds !== "number" || !(seconds >= 0))
    return `${object} has the window ${JSON.stringify(seconds)}, which is no number of seconds`;
  return { object, value, at, windowMs: seconds * 1_000 };
}
