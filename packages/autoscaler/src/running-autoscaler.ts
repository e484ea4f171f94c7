import {
  type AutoscalerConfig,
  type CatalogEntry,
  type Milliseconds,
  type Policy,
  type ScaleEvent,
  ScalerError,
} from "@dormouse/core";
import { AutoscalerContext, type AutoscalerOptions } from "./autoscaler-context.ts";
import { campaign } from "./campaign.ts";
import { decideAll } from "./decide-all.ts";
import { type Decision, keep } from "./decision.ts";
import { decisionReasons } from "./decision-reasons.ts";
import { type DecisionRecord, type MadeDecision, toDecisionRecord } from "./decision-record.ts";
import { explainDecision } from "./explain-decision.ts";
import { judgeRoute, mendRoute } from "./mend-route.ts";
import type { Reading } from "./observe-resource.ts";
import type { SleepRequest } from "./open-autoscaler.ts";
import { Operations } from "./operations.ts";
import { readActivity } from "./read-activity.ts";
import { type MetricsSources, readRules, RuleReading } from "./read-rules.ts";
import { runAutoscaler } from "./run-autoscaler.ts";
import { scaleResource } from "./scale-resource.ts";
import { sleepResource } from "./sleep-resource.ts";
import type { TargetDecision } from "./target-decision.ts";

/** The loop with all it holds; `openAutoscaler` gives out what others may call of it. */
export class RunningAutoscaler implements AsyncDisposable {
  readonly #context: AutoscalerContext;
  readonly #operations: Operations;
  readonly #life = new AbortController();
  #pause = new AbortController();
  #decisions: ReadonlyMap<string, MadeDecision> = new Map();
  #ticking: Promise<void> | undefined;
  #ended: Promise<unknown> = Promise.resolve();

  constructor(options: AutoscalerOptions) {
    this.#context = new AutoscalerContext(options);
    this.#operations = new Operations(options.config.concurrency);
  }

  start(): void {
    const { clock, logger, elector } = this.#context.options;
    const { signal } = this.#life;
    const loop = runAutoscaler({
      clock,
      logger,
      signal,
      everyMs: (): Milliseconds => this.#context.config.every,
      tick: () => this.tick(),
      nextPause: () => this.#nextPause(),
    });
    this.#ended = Promise.all([loop, campaign({ elector, clock, logger, signal })]);
  }

  tick(): Promise<void> {
    if (this.#life.signal.aborted)
      return Promise.reject(new ScalerError("SCALER_DISPOSED", "the autoscaler has been closed"));
    this.#ticking ??= this.#tick().finally(() => {
      this.#ticking = undefined;
    });
    return this.#ticking;
  }

  lastDecision(key: string): DecisionRecord | undefined {
    const made = this.#decisions.get(key);
    return made === undefined ? undefined : toDecisionRecord(made);
  }

  async sleep(key: string, { by, reason, signal }: SleepRequest): Promise<ScaleEvent> {
    const { catalog } = this.#context.options;
    const entry = catalog.get(key);
    if (entry === undefined) throw new ScalerError("SCALER_NOT_FOUND", `there is no resource ${key}`);
    if (!this.#context.leads) return this.#refuse(key, by);
    const rules = new RuleReading(this.#context.sources, new Map());
    const either = signal === undefined ? this.#life.signal : AbortSignal.any([this.#life.signal, signal]);
    const act = () =>
      sleepResource(catalog.get(key) ?? entry, { kind: "asked", by, reason, rules }, this.#context, either);
    return this.#operations.demand(key, act).catch((cause: unknown) => {
      throw new ScalerError("SCALER_ABORTED", `the sleep of ${key} was given up before it began`, { cause });
    });
  }

  reconfigure(config: AutoscalerConfig, sources: MetricsSources): void {
    this.#context.config = config;
    this.#context.sources = sources;
    this.#operations.concurrency = config.concurrency;
    this.#pause.abort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#life.abort();
    this.#pause.abort();
    await this.#ended;
    await this.#ticking?.catch(() => {});
    await this.#operations.end();
    this.#context[Symbol.dispose]();
  }

  #nextPause(): AbortSignal {
    this.#pause = new AbortController();
    return this.#pause.signal;
  }

  async #tick(): Promise<void> {
    const { catalog, clock } = this.#context.options;
    const startedAt = clock.monotonic();
    if (this.#context.leads) await this.#lead(catalog.list());
    else this.#follow(catalog.list());
    if (!this.#life.signal.aborted) this.#context.telemetry.countTick(clock.monotonic() - startedAt);
  }

  #follow(entries: readonly CatalogEntry[]): void {
    this.#operations.drop();
    this.#context.window.close();
    this.#context.forgetTargets();
    const at = this.#context.options.clock.now();
    const decision = keep("not-leader");
    this.#decisions = new Map(entries.map((entry) => [entry.key, { at, decision }]));
  }

  async #lead(entries: readonly CatalogEntry[]): Promise<void> {
    const reading = await this.#read(entries);
    this.#operations.drop();
    this.#context.forgetGone();
    this.#decisions = decideAll(entries, reading, this.#context, (key) => this.#operations.of(key));
    this.#context.telemetry.countDecisions(decisionsOf(this.#decisions.values()));
    if (!this.#context.leads || this.#life.signal.aborted) return;
    const hasDlx = reading.activity.peers?.some((peer) => peer.known) === true;
    for (const entry of entries) this.#act(entry, reading.rules, hasDlx);
  }

  /** Activity and all rules at once; what cannot be read is unknown. */
  async #read(entries: readonly CatalogEntry[]): Promise<Reading> {
    const { window, sources, options } = this.#context;
    const { peers, clock } = options;
    const { signal } = this.#life;
    const asked = entries.filter(isRuled).map(({ ref, resource }) => ({ ref, rules: askedOf(resource.policy) }));
    const [activity, rules] = await Promise.all([
      readActivity({ peers, clock, signal }),
      readRules(asked, { sources, clock, signal }),
    ]);
    window.see(activity);
    return { activity, rules, ...(window.since !== undefined && { watchedSince: window.since }) };
  }

  #act(entry: CatalogEntry, rules: RuleReading, hasDlx: boolean): void {
    if (this.#operations.of(entry.key) !== undefined) return;
    const { signal } = this.#life;
    const made = this.#decisions.get(entry.key);
    if (made?.decision.kind === "sleep") {
      const { reason } = made.decision;
      const order = { kind: "idle", by: "autoscaler", reason: decisionReasons[reason].meaning, rules } as const;
      this.#operations.offer("sleep", entry.key, () => sleepResource(entry, order, this.#context, signal));
    } else if (this.#needsMending(entry, hasDlx)) {
      this.#operations.offer("reconcile", entry.key, () => mendRoute(entry, this.#context, hasDlx, signal));
    } else if (made?.target?.decision.kind === "scale") {
      const order = { decision: made.target.decision, inputs: made.target.inputs };
      this.#operations.offer("scale", entry.key, () => scaleResource(entry, order, this.#context, signal));
    }
  }

  #needsMending(entry: CatalogEntry, hasDlx: boolean): boolean {
    if (!entry.scaler.capabilities.routing) return false;
    if (!this.#context.tracker(entry).mayMend(this.#context.options.clock.monotonic())) return false;
    return judgeRoute(entry, this.#context, hasDlx).kind !== "leave";
  }

  #refuse(resource: string, by: string): ScaleEvent {
    const { words, next } = explainDecision(keep("not-leader"));
    const { journal } = this.#context.options;
    return journal.record({
      kind: "sleep",
      resource,
      by,
      reason: `${words} To sleep, ${next}.`,
      outcome: "refused",
      code: "not-leader",
    });
  }
}

/** Rules are asked for only where they can matter. */
function isRuled({ resource: { policy, desired } }: CatalogEntry): boolean {
  return policy.enabled && desired > 0 && (policy.idleRules.length > 0 || policy.target !== undefined);
}

function askedOf({ idleRules, target }: Policy) {
  return target === undefined ? idleRules : [...idleRules, target];
}

function* decisionsOf(all: Iterable<MadeDecision>): Generator<Decision | TargetDecision> {
  for (const { decision, target } of all) {
    yield decision;
    if (target !== undefined) yield target.decision;
  }
}
