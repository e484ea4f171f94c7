import { type CatalogEntry, nextState, type Resource } from "@dormouse/core";
import { isAwakeUser, usersByDependency } from "./assert-unneeded.ts";
import type { AutoscalerContext } from "./autoscaler-context.ts";
import { decideAskedSleep } from "./decide-asked-sleep.ts";
import { decideSleep } from "./decide-sleep.ts";
import type { Decision } from "./decision.ts";
import type { Observation } from "./observation.ts";
import { observeResource } from "./observe-resource.ts";
import { type ActivityReading, readActivity } from "./read-activity.ts";
import type { RuleReading } from "./read-rules.ts";
import { SleepEnd } from "./sleep-end.ts";
import type { StepRunner } from "./step-runner.ts";

/** Who wants a resource asleep, and why. */
export interface SleepOrder {
  /** `idle`: it was decided; `asked`: an operator skips idleness, but not safety. */
  readonly kind: "idle" | "asked";
  /** `autoscaler` or `operator`. */
  readonly by: string;
  /** In words. */
  readonly reason: string;
  /** What the rules said when it was decided. */
  readonly rules: RuleReading;
}

/** One attempt to put a resource to sleep: what its steps share. */
export class SleepAttempt {
  readonly context: AutoscalerContext;
  readonly entry: CatalogEntry;
  readonly order: SleepOrder;
  readonly steps: StepRunner;

  constructor(context: AutoscalerContext, entry: CatalogEntry, order: SleepOrder, steps: StepRunner) {
    this.context = context;
    this.entry = entry;
    this.order = order;
    this.steps = steps;
  }

  /** Asks the DLXs anew and puts together what a decision about the resource as just read rests on. */
  async observe(resource: Resource, rules: RuleReading = this.order.rules): Promise<Observation> {
    const { context, steps } = this;
    const { peers, clock } = context.options;
    const activity = await readActivity({ peers, clock, signal: steps.signal });
    steps.assertMayAct();
    if (context.leads) context.window.see(activity);
    return this.#observation(resource, activity, rules);
  }

  /** What would be decided now. */
  decide(seen: Observation): Decision {
    return this.order.kind === "asked" ? decideAskedSleep(seen) : decideSleep(seen);
  }

  /** @throws SleepEnd with the reason where the decision is to keep */
  assertSleep(seen: Observation): void {
    const decision = this.decide(seen);
    if (decision.kind === "keep") throw new SleepEnd(decision.reason, { about: decision.about });
  }

  #observation(resource: Resource, activity: ActivityReading, rules: RuleReading): Observation {
    const { context, entry } = this;
    const { catalog, clock, singleHost } = context.options;
    const now = clock.monotonic();
    const tracker = context.tracker(entry);
    const { since } = context.window;
    const users = usersByDependency(catalog.list()).get(entry.key) ?? [];
    return observeResource(
      { ...entry, resource, state: this.#stateOf(resource) },
      tracker,
      { activity, rules, ...(since !== undefined && { watchedSince: since }) },
      {
        seesDirect: context.seesDirect,
        singleHost,
        awakeUsers: users.filter(isAwakeUser).map((user) => user.key),
        platformProblem: undefined,
        operation: undefined,
        now,
      },
    );
  }

  /** The state without this sleep; a wake that runs in this process shows. */
  #stateOf(resource: Resource) {
    const { catalog, clock } = this.context.options;
    const isWaking = catalog.get(this.entry.key)?.state.kind === "waking";
    return nextState(undefined, resource, isWaking ? "wake" : undefined, clock.now());
  }
}
