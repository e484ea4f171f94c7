import {
  type CallOptions,
  callWithDeadline,
  type Clock,
  formatRef,
  type Logger,
  type MetricQuery,
  type MetricSample,
  type MetricsSource,
  type Milliseconds,
  type ResourceRef,
  ScalerError,
  toScalerError,
} from "@dormouse/core";
import { toWorkloadName, type WorkloadName } from "../workload-ref.ts";
import type { FollowedWorkload } from "../workloads/followed-workloads.ts";
import { selectsPod } from "../workloads/pod-selector.ts";
import { MetricHistories } from "./metric-histories.ts";
import type { PodMetrics, PodMetricsList, Usage } from "./pod-metrics.ts";

/** What can be asked for: what is measured, and whether as a share of what the pods request. */
const known = {
  cpu: { resource: "cpu", ofRequests: false },
  memory: { resource: "memory", ofRequests: false },
  "cpu-utilization": { resource: "cpu", ofRequests: true },
  "memory-utilization": { resource: "memory", ofRequests: true },
} as const satisfies Record<string, { resource: keyof Usage; ofRequests: boolean }>;

type Measure = (typeof known)[keyof typeof known];

/** One list serves all rules of a tick; the metrics server itself has new values every 15 s or so. */
const listForMs: Milliseconds = 900;

/** What a source needs. */
export interface ResourceMetricsSourceOptions {
  /** Lists a namespace's pods, by one request. */
  readonly list: (namespace: string, signal: AbortSignal) => Promise<PodMetricsList>;
  /** Resolves once the workloads are known. */
  readonly whenSynced: (signal: AbortSignal) => Promise<void>;
  /** Undefined where there is none. Throws where that is not known now. */
  readonly workloadOf: (name: WorkloadName) => FollowedWorkload | undefined;
  /** Id of the scaler whose resources these are. */
  readonly scaler: string;
  readonly timeoutMs: Milliseconds;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly close: () => Promise<void>;
}

interface Listed {
  readonly at: Milliseconds;
  readonly list: Promise<PodMetricsList>;
}

type Answer = { readonly samples: readonly MetricSample[] } | { readonly error: ScalerError };

/**
 * CPU and memory of the resource metrics API, averaged over a workload's pods: one list for each namespace and tick. What
 * was measured over less than a rule's window is remembered, as for custom metrics. Unknown where a single pod is missing.
 */
export class ResourceMetricsSource implements MetricsSource {
  /** A request that waits uses no CPU: little use is no evidence that no direct traffic is in flight. */
  readonly dlxOnly = true;
  readonly #needs: ResourceMetricsSourceOptions;
  readonly #histories: MetricHistories;
  readonly #listed = new Map<string, Listed>();
  readonly #said = new Map<string, string>();
  readonly #closing = new AbortController();

  constructor(needs: ResourceMetricsSourceOptions) {
    this.#needs = needs;
    this.#histories = new MetricHistories(needs.clock);
  }

  async read(query: MetricQuery, { signal }: CallOptions = {}): Promise<readonly MetricSample[]> {
    const measure = measureOf(query.metric);
    const { scaler, timeoutMs, clock } = this.#needs;
    const own = query.resources.filter((ref) => ref.scaler === scaler && toWorkloadName(ref) !== undefined);
    const groups = Map.groupBy(own, ({ namespace }) => namespace);
    const what = `reading ${query.metric}`;
    const answers = await callWithDeadline({ clock, afterMs: timeoutMs, signal, what }, (ended) =>
      this.#readAll(query, measure, groups, ended),
    );
    const failures = answers.filter((answer) => "error" in answer);
    const [failure] = failures;
    if (failure !== undefined && failures.length === answers.length) throw failure.error;
    return answers.flatMap((answer) => ("error" in answer ? [] : answer.samples));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#needs.close();
  }

  async #readAll(
    query: MetricQuery,
    measure: Measure,
    groups: ReadonlyMap<string, readonly ResourceRef[]>,
    signal: AbortSignal,
  ): Promise<readonly Answer[]> {
    await this.#needs.whenSynced(signal);
    const answers = [...groups].map(([namespace, refs]) => this.#ask(query, measure, namespace, refs));
    this.#histories.prune();
    return Promise.all(answers);
  }

  async #ask(query: MetricQuery, measure: Measure, namespace: string, refs: readonly ResourceRef[]): Promise<Answer> {
    const key = `${namespace}/${query.metric}`;
    try {
      const list = await this.#list(namespace);
      const problems: string[] = [];
      const samples = refs.flatMap((ref) => this.#sampleOf(ref, query, measure, list, problems));
      this.#say(key, problems);
      return { samples };
    } catch (thrown) {
      const error = toScalerError(thrown, "SCALER_UNAVAILABLE");
      if (!this.#closing.signal.aborted) this.#say(key, [`${error.code}: ${error.message}`]);
      return { error };
    }
  }

  /** What was listed a moment ago, for whichever rule, or a new list; it belongs to no single caller. */
  #list(namespace: string): Promise<PodMetricsList> {
    const now = this.#needs.clock.monotonic();
    for (const [key, { at }] of this.#listed) if (now - at >= listForMs) this.#listed.delete(key);
    const listed = this.#listed.get(namespace) ?? { at: now, list: this.#needs.list(namespace, this.#closing.signal) };
    this.#listed.set(namespace, listed);
    return listed.list;
  }

  #sampleOf(
    ref: ResourceRef,
    { metric, windowMs }: MetricQuery,
    measure: Measure,
    list: PodMetricsList,
    problems: string[],
  ): readonly MetricSample[] {
    const name = toWorkloadName(ref);
    const workload = name === undefined ? undefined : this.#needs.workloadOf(name);
    if (workload === undefined) return [];
    const point = toPoint(workload, measure, list, windowMs);
    if (typeof point === "string") {
      problems.push(`${ref.name}: ${point}`);
      return [];
    }
    if (point === undefined) return [];
    const value =
      point.windowMs === windowMs ? point.value : this.#histories.take(`${metric}\0${formatRef(ref)}`, windowMs, point);
    return value === undefined ? [] : [{ ref, value, ageMs: Math.max(0, this.#needs.clock.now() - point.at) }];
  }

  #say(key: string, problems: readonly string[]): void {
    const [first] = problems;
    if (first === this.#said.get(key)) return;
    this.#said.delete(key);
    if (first === undefined) return;
    this.#said.set(key, first);
    const fields = { metric: key, problem: first, further: problems.length - 1 };
    this.#needs.logger.warn(fields, "a resource metric is not usable; its resources stay awake");
  }
}

function measureOf(metric: string): Measure {
  if (Object.hasOwn(known, metric)) return known[metric as keyof typeof known];
  const names = Object.keys(known).join(", ");
  throw new ScalerError("SCALER_BAD_ARGUMENT", `there is no resource metric ${metric}; there are ${names}`);
}

/** The average over a workload's pods: as old as the oldest measurement, over as long as the shortest. Text: why there is none. */
function toPoint(
  workload: FollowedWorkload,
  { resource, ofRequests }: Measure,
  { pods, problems }: PodMetricsList,
  windowMs: Milliseconds,
): { readonly at: number; readonly value: number; readonly windowMs: Milliseconds } | string | undefined {
  const own = pods.filter(({ labels }) => selectsPod(workload.selector, labels));
  if (workload.pods === 0) return undefined;
  if (own.length < workload.pods) return missing(own.length, workload.pods, problems);
  const thinned = own.find((pod) => pod.windowMs > windowMs);
  if (thinned !== undefined) return tooLong(thinned, windowMs);
  const request = workload.requests[resource];
  if (ofRequests && request === undefined) return `not every container requests ${resource}, so that there is no share`;
  // Pods that are being deleted are measured for a while. What they use counts, and they themselves do not.
  const average = own.reduce((sum, { usage }) => sum + usage[resource], 0) / workload.pods;
  return {
    at: Math.min(...own.map(({ at }) => at)),
    value: ofRequests ? average / (request ?? Number.NaN) : average,
    windowMs: Math.min(...own.map((pod) => pod.windowMs)),
  };
}

function missing(found: number, pods: number, problems: readonly string[]): string {
  const [first] = problems;
  return `${String(pods - found)} of ${String(pods)} pods are not measured${first === undefined ? "" : ` (${first})`}`;
}

function tooLong({ name, windowMs }: PodMetrics, asked: Milliseconds): string {
  const seconds = (ms: Milliseconds): string => `${String(ms / 1_000)} s`;
  return `the pod ${name} is measured over ${seconds(windowMs)}, longer than the rule's window of ${seconds(asked)}; make the window as long`;
}
