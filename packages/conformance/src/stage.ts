import type {
  Clock,
  LocalRef,
  Milliseconds,
  Resource,
  ResourceScaler,
  ScalerContext,
  ScalerPlugin,
  SetScaleOptions,
  Target,
} from "@dormouse/core";
import { type BoundScaler, boundScaler, type CallBounds, showRef } from "./call-bounds.ts";
import type { CountingClock } from "./counting-clock.ts";
import { dialTarget } from "./dial-target.ts";
import { type Outcome, toOutcome } from "./outcome.ts";
import type { Pace } from "./pace.ts";
import { Patience } from "./patience.ts";
import type { Declared } from "./rule.ts";
import type { Hook, TestPlatform, Undo } from "./test-platform.ts";
import { expect, show, Unmet } from "./unmet.ts";
import { WatchReader } from "./watch-reader.ts";

export interface StageParts {
  readonly plugin: ScalerPlugin;
  readonly platform: TestPlatform;
  readonly clock: Clock;
  /** The clock that the plugin got, to be looked at. */
  readonly pluginTimers: Pick<CountingClock, "pending">;
  readonly bounds: CallBounds;
  readonly withinMs: Milliseconds;
  readonly promptlyMs: Milliseconds;
  readonly pace: Pace;
  /** As the plugin's schema read them. */
  readonly options: unknown;
  readonly context: ScalerContext;
  /** Opened by the plugin from these options and this context. */
  readonly instance: ResourceScaler;
}

interface ReachedTarget {
  readonly target: Target;
  readonly reached: boolean;
}

type Disturbance = "breakStart" | "holdStart" | "remove" | "stallPlatform" | "cutPlatform";

/** What one rule works on: one open scaler, its resources, and the words that rules are written in. */
export class Stage {
  readonly plugin: ScalerPlugin;
  readonly platform: TestPlatform;
  readonly clock: Clock;
  readonly pluginTimers: Pick<CountingClock, "pending">;
  readonly options: unknown;
  readonly context: ScalerContext;
  /** The plugin's own object. */
  readonly instance: ResourceScaler;
  /** The same with every call bounded. */
  readonly scaler: BoundScaler;
  readonly ref: LocalRef;
  /** How long to wait for what the platform has to do. */
  readonly withinMs: Milliseconds;
  /** How long what was aborted may take to end. */
  readonly promptlyMs: Milliseconds;
  readonly #pace: Pace;
  readonly #patience: Patience;
  readonly #bounds: CallBounds;
  readonly #undos = new Set<Undo>();
  readonly #readers = new Set<WatchReader>();
  #isDisposed = false;

  constructor(parts: StageParts) {
    this.plugin = parts.plugin;
    this.platform = parts.platform;
    this.clock = parts.clock;
    this.pluginTimers = parts.pluginTimers;
    this.options = parts.options;
    this.context = parts.context;
    this.instance = parts.instance;
    this.ref = parts.platform.ref;
    this.withinMs = parts.withinMs;
    this.promptlyMs = parts.promptlyMs;
    this.#pace = parts.pace;
    const { settleWithinMs } = parts.instance.capabilities;
    this.#patience = new Patience({ ...parts, settleWithinMs });
    this.#bounds = parts.bounds;
    this.scaler = boundScaler(parts.instance, parts.bounds);
  }

  /** The most replicas that rules ask for. */
  get several(): number {
    return this.scaler.capabilities.replicas === "many" ? 2 : 1;
  }

  /** A ref that the platform has nothing for. */
  get unknownRef(): LocalRef {
    return { namespace: this.ref.namespace, name: `${this.ref.name.slice(0, 200)}-that-is-not-there` };
  }

  /** The harness's second resource; only for rules that need `other`. */
  get other(): LocalRef {
    const { other } = this.platform;
    if (other === undefined) throw new Error("a rule without the need `other` used it");
    return other;
  }

  declares(what: Declared): boolean {
    const { replicas, watch, routing, compareAndSet } = this.instance.capabilities;
    const reconfigure = typeof this.plugin.reconfigure === "function";
    return { many: replicas === "many", watch, routing, compareAndSet, reconfigure }[what];
  }

  has(hook: Hook): boolean {
    return this.platform[hook] !== undefined;
  }

  /** What the scaler says of a resource now. */
  async facts(ref: LocalRef = this.ref): Promise<Resource> {
    const resource = await this.scaler.getResource(ref);
    expect(resource !== undefined, `getResource(${showRef(ref)}) to answer the resource`, "undefined");
    return resource;
  }

  /** Has a count accepted. @returns the version of the call */
  async scale(replicas: number, ref: LocalRef = this.ref, options?: SetScaleOptions): Promise<string> {
    const { version } = await this.scaler.setScale(ref, replicas, options);
    return version;
  }

  /** Scales from a state of rest and waits until the platform calls that many ready. */
  async awaken(replicas = 1, ref: LocalRef = this.ref): Promise<string> {
    const since = this.clock.monotonic();
    const version = await this.scale(replicas, ref);
    await this.untilFacts(`${String(replicas)} ready`, ({ ready }) => ready === replicas, ref);
    this.#pace.sawStart(this.clock.monotonic() - since);
    return version;
  }

  /** Scales to zero and waits until nothing runs any more. */
  async putToSleep(ref: LocalRef = this.ref): Promise<void> {
    const since = this.clock.monotonic();
    await this.scale(0, ref);
    await this.untilFacts("0 ready", ({ ready }) => ready === 0, ref);
    this.#pace.sawStop(this.clock.monotonic() - since);
  }

  async targets(ref: LocalRef = this.ref): Promise<readonly Target[]> {
    return this.scaler.resolveTargets(ref, undefined);
  }

  async untilFacts(
    what: string,
    holds: (resource: Resource) => boolean,
    ref: LocalRef = this.ref,
    withinMs = this.withinMs,
  ): Promise<Resource> {
    return this.until(`${showRef(ref)} to have ${what}`, () => this.facts(ref), holds, withinMs);
  }

  /** Waits until the resource says that it has been changed since. */
  async untilUpdated(since: Resource): Promise<Resource> {
    const what = `an updatedAt later than ${String(since.updatedAt)}`;
    return this.untilFacts(what, ({ updatedAt }) => updatedAt > since.updatedAt);
  }

  /** Waits until so many of the listed targets accept connections. @returns these */
  async untilReached(count = 1, ref: LocalRef = this.ref): Promise<readonly Target[]> {
    const look = async (): Promise<readonly ReachedTarget[]> => {
      const targets = await this.targets(ref);
      return Promise.all(targets.map(async (target) => ({ target, reached: await this.reach(target) })));
    };
    const what = `${count} targets of ${showRef(ref)} that accept connections`;
    const seen = await this.until(what, look, (all) => all.filter(({ reached }) => reached).length >= count);
    return seen.filter(({ reached }) => reached).map(({ target }) => target);
  }

  async reach(target: Target): Promise<boolean> {
    const { platform } = this;
    return this.run("reach(target)", async () => platform.reach?.(target) ?? dialTarget(target));
  }

  /** Looks again and again until it holds. @returns what was seen last */
  async until<Seen>(
    what: string,
    look: () => Promise<Seen>,
    holds: (seen: Seen) => boolean,
    withinMs = this.withinMs,
  ): Promise<Seen> {
    return this.#patience.until(what, look, holds, withinMs);
  }

  /**
   * Waits as long as a stop or a start still has effects, and looks meanwhile.
   * @param look called again and again; throws `Unmet` where it sees what must not be
   */
  async whileSettling(look: () => Promise<void>, what: "stop" | "start" = "stop"): Promise<void> {
    await this.#patience.whileSettling(look, what);
  }

  /** Waits as long as a stop or a start still has effects. */
  async untilSettled(what: "stop" | "start" = "stop"): Promise<void> {
    await this.#patience.whileSettling(() => Promise.resolve(), what);
  }

  /** A call of the plugin or the harness, bounded. */
  async run<Result>(call: string, work: () => Promise<Result>, withinMs = this.withinMs): Promise<Result> {
    return this.#bounds.run(call, work, withinMs);
  }

  /** Whether the call rejected, and with what; by default in as short a time as an aborted call may take. */
  async outcomeOf(call: string, work: () => Promise<unknown>, withinMs = this.promptlyMs): Promise<Outcome> {
    return this.run(call, async () => toOutcome(work), withinMs);
  }

  /** The code that a call rejects with, branded or not; `no code` where it has none, undefined where it resolves. */
  async codeOf(work: () => Promise<unknown>): Promise<string | undefined> {
    const { rejected, value } = await toOutcome(work);
    if (!rejected) return undefined;
    const code: unknown = value instanceof Error ? Reflect.get(value, "code") : undefined;
    return typeof code === "string" ? code : "no code";
  }

  /** The call that rejected with just this error. */
  callOf(error: unknown): string | undefined {
    return this.#bounds.callOf(error);
  }

  /** What a call rejects with. */
  async rejectionOf(call: string, work: () => Promise<unknown>): Promise<unknown> {
    const { rejected, value } = await toOutcome(work);
    if (!rejected) throw new Unmet(`${call} to reject`, `it resolved with ${show(value)}`);
    return value;
  }

  /** Opens one more instance of the plugin from the same options. Its opener disposes it. */
  async openInstance(): Promise<BoundScaler> {
    const instance = await this.run("create(…)", async () => this.plugin.create(this.options, this.context));
    return boundScaler(instance, this.#bounds);
  }

  /** Disposes the scaler; the stage opens another one to tidy up. */
  async dispose(): Promise<void> {
    this.#isDisposed = true;
    await this.scaler[Symbol.asyncDispose]();
  }

  /** Reads `watchResources`; ended with the stage. */
  watch(): WatchReader {
    const reader = new WatchReader({
      scaler: this.instance,
      bounds: this.#bounds,
      clock: this.clock,
      withinMs: this.withinMs,
      promptlyMs: this.promptlyMs,
    });
    this.#readers.add(reader);
    return reader;
  }

  /** Has the harness change the resource's specification past the scaler. */
  async changeElsewhere(): Promise<void> {
    await this.run("the harness's changeElsewhere", async () => this.platform.changeElsewhere?.(this.ref));
  }

  /** Has the harness end an instance past the scaler. */
  async endInstance(target: Target | undefined): Promise<void> {
    expect(target !== undefined, "a target to end", "none");
    await this.run("the harness's endInstance", async () => this.platform.endInstance?.(target));
  }

  /** Where the resource's own traffic goes, as the harness sees it. */
  async routedTo(): Promise<"dlx" | "resource" | undefined> {
    return this.run("the harness's routedTo", async () => this.platform.routedTo?.(this.ref));
  }

  /** Has the harness disturb the platform. @returns takes it back, once; otherwise the end of the rule does */
  async disturb(what: Disturbance, ref: LocalRef = this.ref): Promise<Undo> {
    const undo = await this.run(`the harness's ${what}`, async () => this.platform[what]?.(ref));
    if (undo === undefined) throw new Error(`a rule without the need \`${what}\` used it`);
    const once = async (): Promise<void> => {
      if (this.#undos.delete(once)) await this.run(`the undoing of the harness's ${what}`, undo);
    };
    this.#undos.add(once);
    return once;
  }

  /** Ends what the rule left open: watches, then disturbances, the newest first. */
  async restore(): Promise<void> {
    for (const reader of this.#readers) await toOutcome(async () => reader.abort());
    for (const undo of [...this.#undos].toReversed()) await undo();
  }

  /** Puts every resource to sleep, whatever it was before. */
  async putAllToSleep(scaler: BoundScaler = this.scaler): Promise<void> {
    const { other } = this.platform;
    for (const ref of other === undefined ? [this.ref] : [this.ref, other]) await this.#putToRest(scaler, ref);
  }

  /** Leaves the resources asleep and the scaler disposed. What the plugin fails at here is for its own rules to find. */
  async close(): Promise<void> {
    const restored = await toOutcome(async () => this.restore());
    await toOutcome(async () => {
      const scaler = this.#isDisposed ? await this.openInstance() : this.scaler;
      await toOutcome(async () => this.putAllToSleep(scaler));
      await scaler[Symbol.asyncDispose]();
    });
    await this.run("the harness's close()", async () => this.platform.close());
    if (restored.rejected) throw restored.value;
  }

  async #putToRest(scaler: BoundScaler, ref: LocalRef): Promise<void> {
    const look = async (): Promise<Resource> => {
      const resource = await scaler.getResource(ref);
      expect(
        resource !== undefined,
        `the scaler to manage ${showRef(ref)} of the harness`,
        "undefined from getResource",
      );
      // Again, too: a call that a rule gave up may be accepted only now.
      if (resource.desired > 0) await scaler.setScale(ref, 0);
      return resource;
    };
    const since = this.clock.monotonic();
    const { ready } = await look();
    const isAtRest = (resource: Resource): boolean => resource.desired === 0 && resource.ready === 0;
    await this.until(`${showRef(ref)} to be at rest`, look, isAtRest);
    if (ready > 0) this.#pace.sawStop(this.clock.monotonic() - since);
  }
}
