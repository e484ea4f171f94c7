import {
  type CallOptions,
  type Clock,
  formatRef,
  type Logger,
  type MetricQuery,
  type MetricSample,
  type MetricsSource,
  type Milliseconds,
  type ResourceRef,
  type ScalerError,
  toScalerError,
} from "@dormouse/core";
import { toWorkloadName, type WorkloadName, workloadPlurals } from "../workload-ref.ts";
import type { CustomMetric, CustomMetricsApi } from "./custom-metrics-api.ts";
import { MetricHistories } from "./metric-histories.ts";
import type { MetricsSourceOptions } from "./metrics-source-options.ts";

/** What a source needs. */
export interface CustomMetricsSourceOptions {
  readonly api: Pick<CustomMetricsApi, "findVersion" | "query">;
  readonly options: Pick<MetricsSourceOptions, "scaler" | "object" | "metrics" | "timeout">;
  /** Name of the one Service before a workload; undefined where there is none. Throws where it is not known now. */
  readonly serviceOf: (workload: WorkloadName) => string | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly close: () => Promise<void>;
}

type Answer = { readonly samples: readonly MetricSample[] } | { readonly error: ScalerError };

/** Objects of one kind in one namespace, and the resources that they stand for. */
interface Group {
  readonly namespace: string;
  readonly resource: string;
  readonly kind: string;
  readonly resources: Map<string, ResourceRef[]>;
}

/**
 * Numbers of the custom metrics API: one query for each namespace and kind, however many resources ask. The API has a
 * value of now, a rule speaks about a window: the answer is the highest value of the window, once all of it was seen.
 */
export class CustomMetricsSource implements MetricsSource {
  readonly #needs: CustomMetricsSourceOptions;
  readonly #histories: MetricHistories;
  /** What was last complained about, by query, so that it is said once. */
  readonly #said = new Map<string, string>();

  constructor(needs: CustomMetricsSourceOptions) {
    this.#needs = needs;
    this.#histories = new MetricHistories(needs.clock);
  }

  async read(query: MetricQuery, { signal }: CallOptions = {}): Promise<readonly MetricSample[]> {
    const groups = this.#groupsOf(query);
    const { api, options } = this.#needs;
    const version = await api.findVersion({ signal, deadlineMs: options.timeout });
    const answers = await Promise.all(groups.map((group) => this.#ask(query, { ...group, version }, signal)));
    const failures = answers.filter((answer) => "error" in answer);
    const [failure] = failures;
    if (failure !== undefined && failures.length === answers.length) throw failure.error;
    this.#histories.prune();
    return answers.flatMap((answer) => ("error" in answer ? [] : answer.samples));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#needs.close();
  }

  #groupsOf({ metric, resources }: MetricQuery): readonly Group[] {
    const { scaler, object, metrics } = this.#needs.options;
    const carrier = (Object.hasOwn(metrics, metric) ? metrics[metric]?.object : undefined) ?? object;
    const groups = new Map<string, Group>();
    for (const ref of resources) {
      const workload = ref.scaler === scaler ? toWorkloadName(ref) : undefined;
      if (workload === undefined) continue;
      if (carrier === "workload")
        addTo(groups, ref, workload.kind, `${workloadPlurals[workload.kind]}.apps`, workload.name);
      else addTo(groups, ref, "Service", "services", this.#needs.serviceOf(workload));
    }
    return [...groups.values()];
  }

  async #ask(
    query: MetricQuery,
    group: Group & { readonly version: string },
    signal: AbortSignal | undefined,
  ): Promise<Answer> {
    const { api, options } = this.#needs;
    const named = Object.hasOwn(options.metrics, query.metric) ? options.metrics[query.metric] : undefined;
    const what = { metric: named?.metric ?? query.metric, selector: named?.selector };
    const key = `${group.namespace}/${group.resource}/${query.metric}`;
    try {
      const { metrics, problems } = await api.query({ ...group, ...what, signal, deadlineMs: options.timeout });
      const tooLong = metrics.filter(({ windowMs }) => (windowMs ?? 0) > query.windowMs);
      const usable = metrics.filter((metric) => !tooLong.includes(metric));
      this.#say(key, [...problems, ...tooLong.map((metric) => thinned(metric, query.windowMs))]);
      return { samples: usable.flatMap((metric) => this.#samplesOf(metric, query, group)) };
    } catch (thrown) {
      const error = toScalerError(thrown, "SCALER_UNAVAILABLE");
      if (signal?.aborted !== true) this.#say(key, [`${error.code}: ${error.message}`]);
      return { error };
    }
  }

  #samplesOf(metric: CustomMetric, { metric: name, windowMs }: MetricQuery, group: Group): readonly MetricSample[] {
    // Adapter and host may have clocks that differ a little; younger than now is now.
    const ageMs = Math.max(0, this.#needs.clock.now() - metric.at);
    return (group.resources.get(metric.object) ?? []).flatMap((ref) => {
      const value =
        metric.windowMs === windowMs
          ? metric.value
          : this.#histories.take(`${name}\0${formatRef(ref)}`, windowMs, {
              at: metric.at,
              value: metric.value,
              windowMs: metric.windowMs ?? 0,
            });
      return value === undefined ? [] : [{ ref, value, ageMs }];
    });
  }

  #say(key: string, problems: readonly string[]): void {
    const [first] = problems;
    if (first === this.#said.get(key)) return;
    if (first === undefined) this.#said.delete(key);
    else {
      this.#said.set(key, first);
      const fields = { metric: key, problem: first, further: problems.length - 1 };
      this.#needs.logger.warn(fields, "a custom metric is not usable; its resources stay awake");
    }
  }
}

function thinned({ object, windowMs }: CustomMetric, asked: Milliseconds): string {
  const seconds = (ms: Milliseconds): string => `${String(ms / 1_000)} s`;
  return `${object} is measured over ${seconds(windowMs ?? 0)}, longer than the rule's window of ${seconds(asked)}: what is busy may look idle; make the rule's window as long`;
}

function addTo(
  groups: Map<string, Group>,
  ref: ResourceRef,
  kind: string,
  resource: string,
  object: string | undefined,
): void {
  if (object === undefined) return;
  const { namespace } = ref;
  const key = `${namespace}/${resource}`;
  const group = groups.get(key) ?? { namespace, resource, kind, resources: new Map<string, ResourceRef[]>() };
  groups.set(key, group);
  const same = group.resources.get(object);
  if (same === undefined) group.resources.set(object, [ref]);
  else same.push(ref);
}
