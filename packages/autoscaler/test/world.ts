import {
  type AutoscalerConfig,
  type Capabilities,
  EventJournal,
  formatRef,
  type GuardedScaler,
  type LeaderElector,
  type Milliseconds,
  type MetricsSource,
  type PartialPolicy,
  type PeerDiscovery,
  ResourceCatalog,
  type ResourceRef,
  type ScaleEvent,
  silentLogger,
  SleepGate,
  soleLeader,
} from "@dormouse/core";
import { FakeClock, type MemoryScaler, openMemoryScaler } from "@dormouse/core/testing";
import { type Autoscaler, type AutoscalerOptions, openAutoscaler } from "../src/index.ts";
import { FakeDlx } from "./fake-dlx.ts";

/** The resource that most tests are about. */
export const web: ResourceRef = { scaler: "memory", namespace: "default", name: "web" };

export const defaultConfig: AutoscalerConfig = {
  every: 1_000,
  metrics: [{ use: "dlx" }],
  concurrency: 10,
  quietPeriod: 0,
  sleepTimeout: 20_000,
};

/** What a world says at its end when nothing went wrong and nothing is left behind. */
export const clean = { violations: [], pendingTimers: 0 };

export interface WorldOptions {
  readonly resources?: readonly { readonly name: string; readonly desired?: number; readonly policy?: PartialPolicy }[];
  readonly capabilities?: Partial<Capabilities>;
  readonly dlxs?: number;
  readonly config?: Partial<AutoscalerConfig>;
  readonly startMs?: Milliseconds;
  readonly stopMs?: Milliseconds;
  /** Whether the platform shows where its routes lead; it does by default. */
  readonly tellsRoutes?: boolean;
  /** What the DLXs do after a wake. */
  readonly restores?: boolean;
}

/** A short policy, so that tests need few ticks. */
export const quickPolicy: PartialPolicy = {
  idleAfter: 10_000,
  minAwake: 3_000,
  wakeTimeout: 30_000,
  drainTimeout: 8_000,
};

/** One platform in memory, DLXs that keep the protocol, and any number of autoscalers over them, on one clock. */
export class World {
  readonly clock: FakeClock;
  readonly sleepGate: SleepGate;
  readonly journal: EventJournal;
  readonly catalog: ResourceCatalog;
  readonly memory: MemoryScaler;
  readonly scaler: GuardedScaler;
  /** Who is listed, the dead and the not-ready too. */
  readonly dlxs: FakeDlx[] = [];
  /** What no run may show: a request that is cut or sent where nothing serves. */
  readonly violations: string[] = [];
  /** Times the DLXs were listed, as the number of platform calls before. */
  readonly listings: number[] = [];
  onList: () => Promise<void> | void = () => {};
  readonly #options: WorldOptions;
  readonly #autoscalers: Autoscaler[] = [];
  #nextDlx = 1;

  static async open(options: WorldOptions = {}): Promise<World> {
    const clock = new FakeClock();
    const resources = options.resources ?? [{ name: "web", desired: 1 }];
    const { memory, guarded } = await openMemoryScaler({
      clock,
      resources: resources.map((each) => ({ ...each, policy: { ...quickPolicy, ...each.policy } })),
      capabilities: options.capabilities,
      startMs: options.startMs,
      stopMs: options.stopMs,
      tellsRoutes: options.tellsRoutes,
    });
    const world = new World(options, clock, memory, guarded);
    world.catalog.follow(guarded);
    await world.advance(0);
    return world;
  }

  private constructor(options: WorldOptions, clock: FakeClock, memory: MemoryScaler, scaler: GuardedScaler) {
    this.#options = options;
    this.clock = clock;
    this.sleepGate = new SleepGate(clock);
    this.journal = new EventJournal(clock);
    this.catalog = new ResourceCatalog({ clock, logger: silentLogger, listEveryMs: 500 });
    this.memory = memory;
    this.scaler = scaler;
    memory.afterCall = (call) => {
      if (call.call === "setScale" && call.replicas === 0 && call.ref !== undefined)
        this.#assertNobodyServed({ scaler: scaler.id, ...call.ref });
    };
    for (let count = options.dlxs ?? 1; count > 0; count -= 1) this.addDlx();
  }

  readonly peers: PeerDiscovery = {
    listPeers: async () => {
      this.listings.push(this.memory.calls.length);
      await this.onList();
      return [...this.dlxs];
    },
    [Symbol.asyncDispose]: async () => {},
  };

  get dlx(): FakeDlx {
    return this.dlxs[0]!;
  }

  addDlx(): FakeDlx {
    const dlx = new FakeDlx({
      name: `dlx-${String(this.#nextDlx++)}`,
      clock: this.clock,
      scaler: this.scaler,
      sleepGate: this.sleepGate,
      forwarded: (ref) => this.#assertServed(ref, "forwarded"),
      restores: this.#options.restores ?? false,
    });
    this.dlxs.push(dlx);
    return dlx;
  }

  async openAutoscaler(
    different: Partial<AutoscalerOptions> & { readonly source?: MetricsSource } = {},
  ): Promise<Autoscaler> {
    const { source, ...options } = different;
    const autoscaler = await openAutoscaler({
      catalog: this.catalog,
      clock: this.clock,
      logger: silentLogger,
      journal: this.journal,
      config: { ...defaultConfig, ...this.#options.config },
      peers: this.peers,
      elector: soleLeader,
      sources: new Map(source === undefined ? [] : [["metrics", source]]),
      sleepGate: this.sleepGate,
      singleHost: false,
      ...options,
    });
    this.#autoscalers.push(autoscaler);
    return autoscaler;
  }

  /** Moves time on in small steps, so that operations that await much keep up with it. */
  async advance(ms: Milliseconds): Promise<void> {
    for (let left = ms; left > 0; left -= 100) await this.clock.advance(Math.min(100, left));
    await this.clock.advance(0);
  }

  /** Moves time on until something is so. */
  async until(isSo: () => boolean, withinMs: Milliseconds = 120_000): Promise<void> {
    for (let left = withinMs; !isSo(); left -= 100) {
      if (left <= 0) throw new Error(`not so within ${String(withinMs)} ms: ${isSo.toString()}`);
      await this.advance(100);
    }
  }

  desired(ref: ResourceRef = web): number {
    return this.memory.resource(ref).read().desired;
  }

  isAsleep(ref: ResourceRef = web): boolean {
    return this.desired(ref) === 0;
  }

  routedTo(ref: ResourceRef = web): "dlx" | "resource" {
    return this.memory.resource(ref).routedTo;
  }

  /** The events of wakes and sleeps, oldest first. */
  sleeps(ref: ResourceRef = web): readonly ScaleEvent[] {
    return this.journal.list().filter((event) => event.kind === "sleep" && event.resource === formatRef(ref));
  }

  /** A request on the resource's own way: straight to it, or to a DLX where it is diverted. */
  directRequest(ref: ResourceRef = web): void {
    if (this.routedTo(ref) === "dlx") this.dlx.request(ref).finish();
    else this.#assertServed(ref, "sent directly");
  }

  /** Ends everything, and says what went wrong and what is left. */
  async close(): Promise<{ readonly violations: readonly string[]; readonly pendingTimers: number }> {
    for (const autoscaler of this.#autoscalers) await autoscaler[Symbol.asyncDispose]();
    for (const dlx of this.dlxs) dlx.crash();
    await this.catalog[Symbol.asyncDispose]();
    await this.scaler[Symbol.asyncDispose]();
    return { violations: this.violations, pendingTimers: this.clock.pendingTimers };
  }

  #assertServed(ref: ResourceRef, how: string): void {
    if (this.isAsleep(ref)) this.violations.push(`a request was ${how} while ${formatRef(ref)} was stopped`);
  }

  #assertNobodyServed(ref: ResourceRef): void {
    for (const dlx of this.dlxs) {
      if (!dlx.dead && dlx.inFlight(ref) > 0)
        this.violations.push(`${formatRef(ref)} was stopped with requests in flight at ${dlx.id}`);
    }
  }
}

/** A leader elector that a test switches. */
export class SwitchedElector implements LeaderElector {
  leads: boolean;
  /** What ends the campaign: the autoscaler's own life. */
  life: AbortSignal | undefined;

  constructor(leads: boolean) {
    this.leads = leads;
  }

  isLeader(): boolean {
    return this.leads;
  }

  lead(signal: AbortSignal): Promise<void> {
    this.life = signal;
    return soleLeader.lead(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
