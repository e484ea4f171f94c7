import {
  type Capabilities,
  defaultPolicy,
  EventJournal,
  type GuardedScaler,
  type Policy,
  type Resource,
  ResourceCatalog,
  type ResourceChange,
  ScalerError,
  silentLogger,
  SleepGate,
  type Target,
} from "@dormouse/core";
import { FakeClock } from "@dormouse/core/testing";
import type { Dial } from "../src/gate/dial.ts";
import { GateKeeper, type GateKeeperOptions } from "../src/gate/gate-keeper.ts";
import type { ReachedTarget } from "../src/gate/passage.ts";
import type { ResourceGate } from "../src/gate/resource-gate.ts";

interface Shape {
  desired: number;
  wakeReplicas: number;
  version: number;
  failure?: Resource["failure"];
  policy: Policy;
  ports: Resource["ports"];
  targets: Target[];
  /** Targets of ports besides the main one, which is 80. */
  further: Readonly<Record<string, readonly Target[]>>;
}

/**
 * A platform whose every step a test decides: what it holds, when a call is answered, what answers a dial. Instances
 * come up when the test says so.
 */
export class ScriptedPlatform {
  readonly clock = new FakeClock();
  readonly journal = new EventJournal(this.clock);
  readonly catalog = new ResourceCatalog({ clock: this.clock, logger: silentLogger });
  readonly sleepGate = new SleepGate(this.clock);
  readonly retired: ReachedTarget[] = [];
  /** Calls in order, for example `setScale web 1 if 3`. */
  readonly calls: string[] = [];
  /** Ids of targets that answer a dial; with their port, `a:81`, where that is not 80. */
  readonly answering = new Set<string>();
  /** Ids of targets in the order of their dials. */
  readonly dials: string[] = [];
  /** What a dial that nobody answers fails with. */
  refusal: () => Error = () => new Error("refused");
  /** Awaited before a call takes effect, by call name. */
  before: (call: string) => Promise<void> | void = () => {};
  /** Awaited after a call took effect, before it is answered: a throw is a lost answer. */
  after: (call: string) => Promise<void> | void = () => {};
  readonly keeper: GateKeeper;
  readonly #shapes = new Map<string, Shape>();
  readonly #scaler: GuardedScaler;
  #announce: (change: ResourceChange) => void = () => {};

  constructor(
    capabilities: Partial<Capabilities> = {},
    limits = { maxHeld: 10_000, maxInFlight: 20_000 },
    more: Partial<GateKeeperOptions> = {},
  ) {
    this.#scaler = this.#createScaler({
      replicas: "many",
      watch: true,
      routing: false,
      compareAndSet: true,
      settleWithinMs: 0,
      ...capabilities,
    });
    this.keeper = new GateKeeper({
      clock: this.clock,
      logger: silentLogger,
      journal: this.journal,
      catalog: this.catalog,
      sleepGate: this.sleepGate,
      dial: this.#dial,
      upstreams: { retire: (target) => void this.retired.push(target) },
      limits: () => limits,
      ...more,
    });
  }

  /** Adds a sleeping resource and follows the platform from now on. */
  async add(name: string, policy: Partial<Policy> = {}): Promise<ResourceGate> {
    this.#shapes.set(name, {
      desired: 0,
      wakeReplicas: 1,
      version: 1,
      policy: { ...defaultPolicy, ...policy },
      ports: [],
      targets: [],
      further: {},
    });
    if (this.#shapes.size === 1) this.catalog.follow(this.#scaler);
    else this.#announce({ kind: "set", resource: this.resource(name) });
    await this.clock.advance(0);
    return this.gate(name);
  }

  gate(name: string): ResourceGate {
    const gate = this.keeper.gate(`test/default/${name}`);
    if (gate === undefined) throw new Error(`no gate ${name}`);
    return gate;
  }

  /** Changes a resource as the platform or somebody else would, and announces it. */
  change(name: string, change: Partial<Shape>): void {
    Object.assign(this.#shape(name), change);
    this.#announce({ kind: "set", resource: this.resource(name) });
  }

  /** An instance comes up and answers. */
  start(name: string, id: string, ready = true): void {
    this.answering.add(id);
    const shape = this.#shape(name);
    this.change(name, { targets: [...shape.targets, { id, host: "127.0.0.1", port: 80, ready }] });
  }

  /** An instance is gone without a word: it answers no dial, but stays listed. */
  kill(id: string): void {
    this.answering.delete(id);
  }

  remove(name: string): void {
    this.#shapes.delete(name);
    this.#announce({ kind: "gone", ref: { namespace: "default", name } });
  }

  resource(name: string): Resource {
    const shape = this.#shape(name);
    return {
      ref: { namespace: "default", name },
      desired: shape.desired,
      ready: shape.targets.length,
      wakeReplicas: shape.wakeReplicas,
      version: String(shape.version),
      ports: shape.ports,
      policy: shape.policy,
      createdAt: 0,
      updatedAt: 0,
      ...(shape.failure === undefined ? {} : { failure: shape.failure }),
    };
  }

  async close(): Promise<void> {
    await this.keeper[Symbol.asyncDispose]();
    await this.catalog[Symbol.asyncDispose]();
  }

  #shape(name: string): Shape {
    const shape = this.#shapes.get(name);
    if (shape === undefined) throw new ScalerError("SCALER_NOT_FOUND", name);
    return shape;
  }

  readonly #dial: Dial = async (target) => {
    await Promise.resolve();
    const name = target.port === 80 ? target.id : `${target.id}:${target.port}`;
    this.dials.push(name);
    if (!this.answering.has(name)) throw this.refusal();
    return { id: target.id, address: "127.0.0.1", port: target.port };
  };

  async #call<Result>(call: string, effect: () => Result): Promise<Result> {
    this.calls.push(call);
    await this.before(call);
    const result = effect();
    await this.after(call);
    return result;
  }

  #setScale(name: string, replicas: number, ifVersion: string | undefined): { readonly version: string } {
    const shape = this.#shape(name);
    if (ifVersion !== undefined && ifVersion !== String(shape.version))
      throw new ScalerError("SCALER_CONFLICT", `${name} moved`);
    const wakeReplicas = replicas > 0 ? replicas : shape.wakeReplicas;
    this.change(name, {
      desired: replicas,
      wakeReplicas,
      version: shape.version + 1,
      ...(replicas === 0 ? { targets: [] } : {}),
    });
    return { version: String(shape.version) };
  }

  #targets(name: string, port: string | undefined): readonly Target[] {
    const { targets, further, policy } = this.#shape(name);
    if (port === undefined || port === policy.port) return targets;
    const found = further[port];
    if (found === undefined) throw new ScalerError("SCALER_BAD_ARGUMENT", `${name} has no port ${port}`);
    return found;
  }

  #createScaler(capabilities: Capabilities): GuardedScaler {
    const watch = this.#watch.bind(this);
    return {
      id: "test",
      plugin: "scripted",
      capabilities,
      reconfigure: async () => true,
      listResources: () => this.#call("list", () => [...this.#shapes.keys()].map((name) => this.resource(name))),
      getResource: (ref) =>
        this.#call(`get ${ref.name}`, () => (this.#shapes.has(ref.name) ? this.resource(ref.name) : undefined)),
      setScale: (ref, replicas, options) => {
        const condition = options?.ifVersion === undefined ? "" : ` if ${options.ifVersion}`;
        return this.#call(`setScale ${ref.name} ${replicas}${condition}`, () =>
          this.#setScale(ref.name, replicas, options?.ifVersion),
        );
      },
      resolveTargets: (ref, port) =>
        this.#call(`targets ${ref.name}${port === undefined ? "" : ` ${port}`}`, () => this.#targets(ref.name, port)),
      routeTraffic: (ref, to, { version }) => this.#call(`route ${ref.name} ${to} ${version}`, () => {}),
      ...(capabilities.watch ? { watchResources: (options) => watch(options?.signal) } : {}),
      [Symbol.asyncDispose]: async () => {},
    };
  }

  async *#watch(signal: AbortSignal | undefined): AsyncGenerator<ResourceChange> {
    const queue: ResourceChange[] = [
      { kind: "snapshot", resources: [...this.#shapes.keys()].map((name) => this.resource(name)) },
    ];
    let heard = (): void => {};
    this.#announce = (change) => {
      queue.push(change);
      heard();
    };
    signal?.addEventListener("abort", () => heard(), { once: true });
    while (signal?.aborted !== true) {
      for (let change = queue.shift(); change !== undefined; change = queue.shift()) yield change;
      await new Promise<void>((resolve) => {
        heard = resolve;
        if (queue.length > 0 || signal?.aborted === true) resolve();
      });
    }
  }
}
