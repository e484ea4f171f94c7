import {
  formatRef,
  type Milliseconds,
  type Policy,
  type Resource,
  type ResourceFailure,
  type ResourceRef,
  ScalerError,
  type Target,
} from "@dormouse/core";
import { SeededRandom } from "../../harness/seeded-random.ts";
import { drawLifetimes, Instance } from "./instance.ts";
import { isOurs } from "./is-ours.ts";
import type { ResourceOptions, Way } from "./resource-options.ts";
import { ServiceTraffic } from "./service-traffic.ts";

/** The longest that a write is decided upon and on its way. */
const overrulingMs = 12_000;

/**
 * One resource of a platform as its API and its controllers see it: a linearizable store of the wish, controllers that
 * follow it late and may miss what was there only for a moment, instances with a life of their own, and a route that
 * clients hear of late.
 */
export class SimulatedResource {
  readonly ref: ResourceRef;
  readonly key: string;
  readonly instances = new Set<Instance>();
  desired: number;
  wakeReplicas: number;
  version = 1;
  failure: ResourceFailure | undefined;
  /** Who asked for 0 last, and who for more than 0 after that. */
  stoppedBy = "nobody";
  raisedBy = "nobody";
  /** The count that the last stop took away. */
  beforeStop: number | undefined;
  /** Monotonic ms of the last thing that was not our doing: a crash, a person, a broken application. */
  disturbedAt = Number.NEGATIVE_INFINITY;
  readonly #options: ResourceOptions;
  #policy: Policy;
  #updatedAt: number;
  #route: { readonly to: Way; readonly version: number } = { to: "resource", version: 0 };
  /** What a client may still believe, until when. */
  #oldRoute: { readonly to: Way; readonly until: Milliseconds } | undefined;
  #restoredAt: Milliseconds | undefined;
  /** Version that the controllers have acted upon. */
  #seen = 0;
  /** Version of the last write that asked for fewer. */
  #reducedAt = 0;
  #isBroken = false;
  #isSwift = false;
  #instanceCount = 0;
  #controls = 0;
  /** Where its traffic is a Service's. */
  readonly service: ServiceTraffic | undefined;

  constructor(options: ResourceOptions) {
    this.#options = options;
    this.ref = options.ref;
    this.key = formatRef(options.ref);
    this.#policy = options.policy;
    this.desired = options.desired;
    this.wakeReplicas = Math.max(1, options.desired);
    this.#updatedAt = options.clock.now();
    this.service = options.hasDlx === undefined ? undefined : this.#openService(options.hasDlx);
    this.#control();
  }

  get policy(): Policy {
    return this.#policy;
  }

  get route(): Way {
    return this.service?.route ?? this.#route.to;
  }

  /** Monotonic ms at which its traffic last came back to it; undefined where it never did. */
  get restoredAt(): Milliseconds | undefined {
    return this.service?.restoredAt ?? this.#restoredAt;
  }

  /** The ways that clients may take now. */
  get ways(): readonly Way[] {
    const old = this.#oldRoute;
    return old !== undefined && old.until > this.#options.clock.monotonic() && old.to !== this.#route.to
      ? [this.#route.to, old.to]
      : [this.#route.to];
  }

  get versionText(): string {
    return String(this.version);
  }

  /** An accepted wish, by whomever. The version moves, whatever the count was. */
  scale(replicas: number, by: string): void {
    const write = { by, from: this.desired, to: replicas, version: this.version + 1 };
    this.version += 1;
    this.#updatedAt = this.#options.clock.now();
    if (replicas < this.desired) this.#reducedAt = this.version;
    if (replicas === 0 && this.desired > 0) this.stoppedBy = this.#overruled(by);
    if (replicas > 0 && this.desired === 0) this.raisedBy = by;
    if (replicas === 0 && this.desired > 0) this.beforeStop = this.desired;
    // A plugin stores the count that it was asked for; what others write it has not seen.
    if (replicas >= 1 && isOurs(by)) this.wakeReplicas = replicas;
    this.desired = replicas;
    this.#note(`${by} wants ${String(replicas)}: version ${this.versionText}`);
    this.#options.written(this, write);
    this.#changed();
    this.#controlSoon();
  }

  /** Without compare-and-set a write may undo what a person did a moment before: a limit, and nobody's stop but the race's. */
  #overruled(by: string): string {
    const { clock, compareAndSet } = this.#options;
    const isRace = !compareAndSet && clock.monotonic() - this.disturbedAt < overrulingMs;
    return isRace ? `person, overruled by ${by}` : by;
  }

  changePolicy(change: Partial<Policy>): void {
    this.#policy = { ...this.#policy, ...change };
    this.version += 1;
    this.#updatedAt = this.#options.clock.now();
    this.#note("its policy is edited");
    this.#changed();
    this.#controlSoon();
  }

  /** A tool puts back what is written about it: whatever we have annotated is gone. */
  revert(): void {
    this.version += 1;
    this.#note("a tool reverts its annotations");
    this.#changed();
    this.#controlSoon();
  }

  /** False where a newer version's route was accepted. */
  routeTo(to: Way, version: number): boolean {
    if (version < this.#route.version) return false;
    const { clock, propagationMs } = this.#options;
    if (to === "resource" && this.#route.to === "dlx") this.#restoredAt = this.#options.clock.monotonic();
    if (to !== this.#route.to) {
      const lagMs = this.#random(`route ${String(version)}`).between(propagationMs / 4, propagationMs);
      this.#oldRoute = { to: this.#route.to, until: clock.monotonic() + lagMs };
    }
    this.#route = { to, version };
    this.#note(`its traffic goes to the ${to}, by version ${String(version)}`);
    return true;
  }

  /** All instances end by themselves. */
  crash(): void {
    this.disturbedAt = Math.max(this.disturbedAt, this.#options.clock.monotonic());
    this.#note("its instances crash");
    for (const instance of this.instances) if (instance.takesConnections) this.#end(instance, "a crash");
    this.#changed();
    this.#controlSoon();
  }

  /** New instances do not come up until `mend`. */
  break(): void {
    this.#isBroken = true;
    this.disturbedAt = Number.POSITIVE_INFINITY;
    this.#note("its application is broken");
  }

  /** From here on controllers and starts take no long time. */
  hurry(): void {
    this.#isSwift = true;
  }

  mend(): void {
    if (!this.#isBroken) return;
    this.#isBroken = false;
    this.failure = undefined;
    this.disturbedAt = this.#options.clock.monotonic();
    this.#note("its application is mended");
    for (const instance of this.instances) if (instance.state === "starting") this.#boot(instance);
    this.#changed();
  }

  read(): Resource {
    const { namespace, name } = this.ref;
    return {
      ref: { namespace, name },
      desired: this.desired,
      ready: [...this.instances].filter((one) => one.state === "ready" && this.#stays(one)).length,
      wakeReplicas: this.wakeReplicas,
      version: this.versionText,
      ...(this.failure !== undefined && { failure: this.failure }),
      ...(this.service?.shown !== undefined && { routedTo: this.service.shown }),
      ports: [{ name: "http", number: 80, protocol: "http" }],
      policy: this.#policy,
      createdAt: 0,
      updatedAt: this.#updatedAt,
    };
  }

  /** Candidates: what no stop accepted so far can still end, wherever the traffic goes. */
  targets(): readonly Target[] {
    return [...this.instances]
      .filter((instance) => instance.isServing && this.#stays(instance))
      .map((instance) => ({ id: instance.id, host: instance.host, port: 80, ready: instance.state === "ready" }));
  }

  /** Whether the platform's own traffic meets instances that stay alone. */
  get isTrafficSettled(): boolean {
    return [...this.instances].every((instance) => !instance.isInTraffic || this.#stays(instance));
  }

  assertTrafficSettled(): void {
    if (!this.isTrafficSettled)
      throw new ScalerError("SCALER_UNAVAILABLE", `an instance of ${this.key} that will end is still in its traffic`);
  }

  /** Whether no stop that was accepted so far can still end it: what the controllers have not seen yet may. */
  #stays(instance: Instance): boolean {
    return instance.state !== "doomed" && (instance.bornAt >= this.#reducedAt || this.#seen >= this.#reducedAt);
  }

  #controlSoon(): void {
    this.#controls += 1;
    const random = this.#random(`control ${String(this.#controls)}`);
    const lagMs = random.chance(0.1) && !this.#isSwift ? random.between(20, 1_500) : random.between(0.5, 15);
    this.#options.clock.setTimer(lagMs, () => this.#control());
  }

  /** The controllers look at the wish as it is now: what was there between is never seen. */
  #control(): void {
    const isNew = this.#seen !== this.version;
    this.#seen = this.version;
    const serving = [...this.instances].filter((instance) => instance.isServing);
    for (const instance of serving.slice(this.desired)) this.#doom(instance);
    for (let missing = this.desired - serving.length; missing > 0; missing -= 1) this.#start();
    if (this.desired === 0) this.failure = undefined;
    if (isNew || serving.length !== this.desired) this.#changed();
  }

  #start(): void {
    this.#instanceCount += 1;
    const id = `${this.ref.name}-${String(this.#instanceCount)}`;
    const instance = new Instance(id, `${id}.test`, this.version);
    this.instances.add(instance);
    this.#note(`instance ${id} starts`);
    this.#boot(instance);
  }

  #boot(instance: Instance): void {
    const { bootMs, readyMs } = this.#lifetimesOf(instance);
    this.#after(bootMs, () => {
      if (instance.state !== "starting") return;
      if (this.#isBroken) return this.#fail();
      instance.state = "accepting";
      this.#note(`instance ${instance.id} takes connections`);
      this.#after(readyMs, () => {
        if (instance.state !== "accepting") return;
        instance.state = "ready";
        this.#changed();
      });
    });
  }

  #fail(): void {
    this.failure = { code: "SCALER_CRASH_LOOP", message: "it starts and ends again" };
    this.#changed();
  }

  #doom(instance: Instance): void {
    const { unseenMs, graceMs } = this.#lifetimesOf(instance);
    const cause = this.desired === 0 ? this.stoppedBy : "a reduction";
    instance.state = "doomed";
    instance.endedBy = cause;
    this.#note(`instance ${instance.id} is told to stop`);
    this.#after(unseenMs, () => {
      if (instance.state !== "doomed") return;
      instance.state = "terminating";
      this.#changed();
      this.#after(graceMs, () => this.#end(instance, cause));
    });
  }

  #end(instance: Instance, cause: string): void {
    if (instance.state === "gone") return;
    instance.state = "gone";
    instance.endedBy = cause;
    this.instances.delete(instance);
    this.#note(`instance ${instance.id} is gone: ${cause}`);
    for (const execution of instance.executing) execution.cut(cause);
    instance.executing.clear();
    this.#changed();
  }

  #after(ms: Milliseconds, act: () => void): void {
    this.#options.clock.setTimer(ms, act);
  }

  #lifetimesOf(instance: Instance): ReturnType<typeof drawLifetimes> {
    return drawLifetimes(this.#random(`instance ${instance.id}`), this.#isSwift ? 0 : this.#options.slowStarts);
  }

  #random(name: string): SeededRandom {
    return new SeededRandom(this.#options.seed, `${this.key} ${name}`);
  }

  #changed(): void {
    this.service?.instancesChanged();
    this.#options.changed(this);
  }

  #openService(hasDlx: () => boolean): ServiceTraffic {
    const { clock, propagationMs, changed } = this.#options;
    return new ServiceTraffic({
      clock,
      propagationMs,
      hasDlx,
      random: (name) => this.#random(name),
      instances: () => [...this.instances],
      wants: () => this.desired,
      stays: (instance) => this.#stays(instance),
      isDirect: () => this.#policy.routing === "direct",
      changed: () => changed(this),
      note: (what) => this.#note(what),
    });
  }

  #note(what: string): void {
    this.#options.timeLine?.add(this.ref.name, what);
  }
}
