import {
  callWithDeadline,
  type Clock,
  formatRef,
  type IdleRule,
  type MetricSample,
  type MetricsSource,
  type Milliseconds,
  type ResourceRef,
  type TargetGoal,
  toScalerError,
} from "@dormouse/core";
import type { RuleObservation } from "./observation.ts";
import type { TargetSample } from "./target-observation.ts";

/** How long one query may take. A source that hangs delays a tick by so much and is unknown for it. */
const queryDeadlineMs: Milliseconds = 5_000;

/** Sources by id, in configured order; the first is the default. */
export type MetricsSources = ReadonlyMap<string, MetricsSource>;

export interface RuleReadingOptions {
  readonly sources: MetricsSources;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** What a source is asked for: of an idle rule, or of a target. */
type AskedMetric = Pick<IdleRule, "metric" | "window" | "source">;

/** A resource whose rules are asked for. */
export interface RuledResource {
  readonly ref: ResourceRef;
  readonly rules: readonly AskedMetric[];
}

interface Group {
  readonly source: string;
  readonly metric: string;
  readonly windowMs: Milliseconds;
  readonly resources: ResourceRef[];
}

type Answer = { readonly samples: ReadonlyMap<string, MetricSample> } | { readonly problem: string };

/** What the sources said at one moment. */
export class RuleReading {
  readonly #sources: MetricsSources;
  readonly #answers: ReadonlyMap<string, Answer>;

  constructor(sources: MetricsSources, answers: ReadonlyMap<string, Answer>) {
    this.#sources = sources;
    this.#answers = answers;
  }

  /** How many queries were made. */
  get queries(): number {
    return this.#answers.size;
  }

  /** One rule of one resource, by its key. */
  observe(key: string, rule: IdleRule): RuleObservation {
    const source = sourceOf(rule, this.#sources);
    const asked = {
      metric: rule.metric,
      windowMs: rule.window,
      threshold: rule.threshold,
      source,
      dlxOnly: this.#sources.get(source)?.dlxOnly === true,
    };
    return Object.assign(asked, this.#answerOf(key, rule));
  }

  /** The target of one resource, by its key. */
  sample(key: string, goal: TargetGoal): TargetSample {
    const source = sourceOf(goal, this.#sources);
    const asked = { source, dlxOnly: this.#sources.get(source)?.dlxOnly === true };
    return Object.assign(asked, this.#answerOf(key, goal));
  }

  #answerOf(key: string, asked: AskedMetric): Pick<RuleObservation, "value" | "ageMs" | "problem"> {
    const answer = this.#answers.get(groupKey(asked));
    if (answer === undefined) return { problem: "not asked" };
    if ("problem" in answer) return { problem: answer.problem };
    const sample = answer.samples.get(key);
    if (sample === undefined) return { problem: "no value" };
    const { value, ageMs } = sample;
    return ageMs === undefined ? { value } : { value, ageMs };
  }
}

/** One query for each source, metric and window, however many resources ask. Never rejects; each query fails alone. */
export async function readRules(resources: Iterable<RuledResource>, options: RuleReadingOptions): Promise<RuleReading> {
  const groups = groupRules(resources, options.sources);
  const answers = await Promise.all([...groups].map(async ([key, group]) => [key, await ask(group, options)] as const));
  return new RuleReading(options.sources, new Map(answers));
}

function groupRules(resources: Iterable<RuledResource>, sources: MetricsSources): Map<string, Group> {
  const groups = new Map<string, Group>();
  for (const { ref, rules } of resources) {
    for (const rule of rules) addToGroup(groups, ref, rule, sources);
  }
  return groups;
}

function addToGroup(groups: Map<string, Group>, ref: ResourceRef, rule: AskedMetric, sources: MetricsSources): void {
  const key = groupKey(rule);
  const group = groups.get(key);
  if (group?.resources.at(-1) === ref) return;
  if (group !== undefined) group.resources.push(ref);
  else
    groups.set(key, { source: sourceOf(rule, sources), metric: rule.metric, windowMs: rule.window, resources: [ref] });
}

async function ask({ source, ...query }: Group, { sources, clock, signal }: RuleReadingOptions): Promise<Answer> {
  const asked = sources.get(source);
  if (asked === undefined) return { problem: `no source "${source}" is configured` };
  try {
    const deadline = { clock, signal, afterMs: queryDeadlineMs, what: `metrics source ${source}` };
    return { samples: byResource(await callWithDeadline(deadline, (signal) => asked.read(query, { signal }))) };
  } catch (error) {
    const { code, message } = toScalerError(error, "SCALER_UNAVAILABLE");
    return { problem: `${code}: ${message}` };
  }
}

/** Of several samples of one resource the busiest counts; one that is no number makes the whole unknown. */
function byResource(samples: readonly MetricSample[]): Map<string, MetricSample> {
  const found = new Map<string, MetricSample>();
  for (const sample of samples) {
    const key = formatRef(sample.ref);
    const other = found.get(key);
    found.set(key, other === undefined ? sample : busierOf(sample, other));
  }
  return found;
}

function busierOf(one: MetricSample, other: MetricSample): MetricSample {
  const value = Math.max(one.value, other.value);
  const ages = [one.ageMs, other.ageMs].filter((age) => age !== undefined);
  return ages.length === 0 ? { ref: one.ref, value } : { ref: one.ref, value, ageMs: Math.max(...ages) };
}

const groupKeys = new WeakMap<AskedMetric, string>();

/**
 * What rules have in common that are asked for together; kept with the rule, since a tick asks for it often. Rules that
 * name the default source and rules that name none are asked for apart. NUL stands in no id of a source.
 */
function groupKey(rule: AskedMetric): string {
  const known = groupKeys.get(rule);
  if (known !== undefined) return known;
  const key = `${rule.source ?? ""}\0${String(rule.window)}\0${rule.metric}`;
  groupKeys.set(rule, key);
  return key;
}

function sourceOf(rule: Pick<AskedMetric, "source">, sources: MetricsSources): string {
  return rule.source ?? sources.keys().next().value ?? "";
}
