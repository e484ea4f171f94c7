import {
  type CallOptions,
  definePort,
  formatRef,
  type MetricQuery,
  type MetricSample,
  type MetricsSource,
  type Milliseconds,
  type PluginContext,
  type ResourceRef,
  ScalerError,
  toScalerError,
} from "@dormouse/core";
import { fillPlainTemplate, fillTemplate, leavesPath } from "../fill-template.ts";
import type { HttpCall } from "../http-call.ts";
import { HttpClient } from "../http-client.ts";
import { JsonPath } from "../json-path.ts";
import { parseJson } from "../parse-json.ts";
import { headersOf } from "../request-options.ts";
import { type HttpJsonMetric, type HttpJsonOptions, httpJsonOptionsSchema } from "./http-json-options.ts";
import { readNumber } from "../read-number.ts";
import { type SharedAnswer, SharedAnswers } from "./shared-answers.ts";
import { ValueWindows } from "./value-windows.ts";

/** The autoscaler waits 5 s for a query. */
const deadlineMs: Milliseconds = 4_500;

/** Compiled paths that are kept; with names in them there may be one for each resource. */
const mostPaths = 20_000;

/** The metrics source `http-json`: numbers out of JSON documents that a GET answers. */
export const metricsSource = definePort("metricsSource", {
  name: "http-json",
  options: httpJsonOptionsSchema,
  create: async (options, context) => {
    const client = await HttpClient.open({ clock: context.clock, tls: options.tls });
    return new HttpJsonSource(options, client, context);
  },
});

/** What one query asks for. */
interface Asked {
  readonly name: string;
  readonly metric: HttpJsonMetric;
  readonly windowMs: Milliseconds;
}

type Outcome = { readonly samples: readonly MetricSample[] } | { readonly error: ScalerError };

class HttpJsonSource implements MetricsSource {
  readonly #options: HttpJsonOptions;
  readonly #client: HttpClient;
  readonly #context: PluginContext;
  readonly #answers: SharedAnswers;
  readonly #windows = new ValueWindows();
  readonly #paths = new Map<string, JsonPath>();
  /** The metrics whose numbers could not be read the last time, with what was told of it. */
  readonly #told = new Map<string, string>();

  constructor(options: HttpJsonOptions, client: HttpClient, context: PluginContext) {
    this.#options = options;
    this.#client = client;
    this.#context = context;
    this.#answers = new SharedAnswers(context.clock, options.maxAge);
    for (const { url } of Object.values(options.metrics))
      if (!url.includes("{{")) client.expect({ method: "GET", url: new URL(url) });
  }

  /** One document that cannot be had leaves its own resources unknown; where none can be had, the query fails with the first one's reason. */
  async read(
    { metric: name, windowMs, resources }: MetricQuery,
    { signal }: CallOptions = {},
  ): Promise<readonly MetricSample[]> {
    const asked: Asked = { name, metric: this.#metric(name), windowMs };
    const documents = [...byUrl(asked.metric.url, resources)];
    const outcomes = await Promise.all(documents.map(([url, refs]) => this.#readDocument(asked, url, refs, signal)));
    this.#windows.prune(this.#context.clock.monotonic());
    const errors = outcomes.flatMap((outcome) => ("error" in outcome ? [outcome.error] : []));
    if (errors[0] !== undefined && errors.length === outcomes.length) throw errors[0];
    return outcomes.flatMap((outcome) => ("samples" in outcome ? outcome.samples : []));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
  }

  async #readDocument(
    asked: Asked,
    url: string,
    refs: readonly ResourceRef[],
    signal: AbortSignal | undefined,
  ): Promise<Outcome> {
    try {
      const key = JSON.stringify([url, asked.metric.headers ?? {}]);
      const answer = await this.#answers.get(key, () => this.#fetch(url, asked.metric), signal);
      const samples = refs.map((ref) => this.#toSample(asked, ref, answer));
      return { samples: samples.filter((sample) => sample !== undefined) };
    } catch (error) {
      return { error: toScalerError(error) };
    }
  }

  #fetch(url: string, metric: HttpJsonMetric): Promise<unknown> {
    const { headers, token, basicAuth, timeout, mostBytes, retries } = this.#options;
    const own = { ...headers, ...metric.headers };
    const call: HttpCall = {
      method: "GET",
      url: new URL(url),
      headers: headersOf({ headers: own, token, basicAuth }),
      timeoutMs: timeout,
      mostBytes,
      retries,
    };
    return this.#client.exchange(call, { deadlineMs }, (answer) => parseJson(call, answer));
  }

  #toSample(
    { name, metric, windowMs }: Asked,
    ref: ResourceRef,
    { document, at }: SharedAnswer,
  ): MetricSample | undefined {
    const found = readNumber(this.#path(metric.path, ref), document);
    this.#tell(name, metric, ref, "problem" in found ? found.problem : undefined);
    if ("problem" in found) return undefined;
    const measuredAt = at - this.#ageMs(metric, ref, document);
    const value = found.value * metric.factor;
    const now = this.#context.clock.monotonic();
    if (!Number.isFinite(value)) return undefined;
    const ageMs = Math.max(0, now - measuredAt);
    if (metric.over === "latest" || !Number.isFinite(measuredAt)) return { ref, value, ageMs };
    const window = this.#windows.of(`${name}\0${formatRef(ref)}`, windowMs, now);
    window.add(measuredAt, value, metric.standsFor);
    const answer = metric.over === "average" ? window.average : window.highest;
    return answer === undefined ? undefined : { ref, value: answer, ageMs };
  }

  /** Where ages are asked for, a number without one is infinitely old. */
  #ageMs({ age }: HttpJsonMetric, ref: ResourceRef, document: unknown): Milliseconds {
    if (age === undefined) return 0;
    const found = readNumber(this.#path(age, ref), document);
    // Clocks may differ a little; younger than now is now.
    return "problem" in found ? Infinity : Math.max(0, found.value * 1_000);
  }

  #path(template: string, ref: ResourceRef): JsonPath {
    const text = fillPlainTemplate(template, ref);
    const known = this.#paths.get(text);
    if (known !== undefined) return known;
    if (this.#paths.size >= mostPaths) this.#paths.clear();
    const path = new JsonPath(text);
    this.#paths.set(text, path);
    return path;
  }

  /** Once for each change: what is missing now may be missing at every tick. */
  #tell(name: string, metric: HttpJsonMetric, ref: ResourceRef, problem: string | undefined): void {
    const key = `${name}\0${formatRef(ref)}`;
    const before = this.#told.get(key);
    if (problem === undefined) this.#told.delete(key);
    if (problem === undefined || before !== undefined) return;
    if (this.#told.size >= mostPaths) this.#told.clear();
    this.#told.set(key, problem);
    this.#context.logger.warn(
      { metric: name, resource: formatRef(ref), problem: `${metric.path} ${problem}` },
      "a metric cannot be read, and is unknown until it can be",
    );
  }

  #metric(name: string): HttpJsonMetric {
    const { metrics } = this.#options;
    const metric = Object.hasOwn(metrics, name) ? metrics[name] : undefined;
    if (metric !== undefined) return metric;
    const known = Object.keys(metrics).join(", ");
    throw new ScalerError("SCALER_BAD_ARGUMENT", `the source has no metric "${name}"; it has ${known}`);
  }
}

/** Resources by the URL of their document. Left out: those whose name would lead to another one. */
function byUrl(template: string, resources: readonly ResourceRef[]): ReadonlyMap<string, readonly ResourceRef[]> {
  const found = new Map<string, ResourceRef[]>();
  for (const ref of resources) {
    if (leavesPath(ref)) continue;
    const url = fillTemplate(template, ref);
    const same = found.get(url);
    if (same === undefined) found.set(url, [ref]);
    else same.push(ref);
  }
  return found;
}
