import { type Autoscaler, openAutoscaler, type SleepStep } from "@dormouse/autoscaler";
import {
  type AutoscalerConfig,
  EventJournal,
  type GuardedScaler,
  type LeaderElector,
  type MetricsSource,
  type PeerDiscovery,
  ResourceCatalog,
  type ResourceRef,
  silentLogger,
  SleepGate,
  soleLeader,
} from "@dormouse/core";
import type { Network } from "../engine/network.ts";
import type { SimulatedProcess } from "../engine/simulated-process.ts";
import type { SimulatedPlatform } from "../platform/simulated-platform.ts";
import { openSimulatedScaler, type SimulatedScaler } from "../platform/simulated-scaler.ts";

/** The parts that an autoscaler shares with the DLX of its host. */
export interface SharedParts {
  readonly catalog: ResourceCatalog;
  readonly scaler: GuardedScaler;
  readonly sleepGate: SleepGate;
  readonly journal: EventJournal;
}

export interface AutoscalerProcessOptions {
  readonly process: SimulatedProcess;
  readonly platform: SimulatedPlatform;
  readonly network: Network;
  readonly peers: PeerDiscovery;
  readonly config: AutoscalerConfig;
  readonly source: MetricsSource;
  /** Of the same process; left out: it has its own, and there are other hosts. */
  readonly shared?: SharedParts;
  readonly onStep: (autoscaler: AutoscalerProcess, step: SleepStep, ref: ResourceRef) => void;
  /** Told how each sleep ended, for example `sleep kept: in-flight`. */
  readonly onEnd: (ending: string) => void;
}

/** A lead that a run gives and takes. */
class GivenLead implements LeaderElector {
  isGiven = true;
  readonly isLeader = (): boolean => this.isGiven;
  readonly lead = (signal: AbortSignal): Promise<void> => soleLeader.lead(signal);
  async [Symbol.asyncDispose](): Promise<void> {}
}

/** An autoscaler in a process of its own or beside a DLX; all of it is the shipped code. */
export class AutoscalerProcess {
  readonly process: SimulatedProcess;
  readonly lead = new GivenLead();
  /** The step of the sleep of each resource that is under way. */
  readonly steps = new Map<string, SleepStep>();
  readonly #parts: SharedParts;
  readonly #plugin: SimulatedScaler | undefined;
  #autoscaler: Autoscaler | undefined;

  static async open(options: AutoscalerProcessOptions): Promise<AutoscalerProcess> {
    const { shared, process } = options;
    if (shared !== undefined) return new AutoscalerProcess(options, shared, undefined).#start(options);
    const { scaler, plugin } = await openSimulatedScaler(options);
    const { clock } = process;
    const catalog = new ResourceCatalog({ clock, logger: silentLogger, listEveryMs: 2_000 });
    const parts = { catalog, scaler, sleepGate: new SleepGate(clock), journal: new EventJournal(clock, 100) };
    catalog.follow(scaler);
    return new AutoscalerProcess(options, parts, plugin).#start(options);
  }

  private constructor({ process }: AutoscalerProcessOptions, parts: SharedParts, plugin: SimulatedScaler | undefined) {
    this.process = process;
    this.#parts = parts;
    this.#plugin = plugin;
  }

  async #start(options: AutoscalerProcessOptions): Promise<this> {
    const { process, peers, config, source, shared, onStep, onEnd } = options;
    const { catalog, journal, sleepGate } = this.#parts;
    const at = async (step: SleepStep, ref: ResourceRef): Promise<void> => {
      this.steps.set(ref.name, step);
      onStep(this, step, ref);
    };
    journal.subscribe((event) => {
      if (event.kind === "sleep") this.steps.delete(event.resource.split("/").at(-1) ?? "");
      if (event.kind === "sleep")
        onEnd(`${event.kind} ${event.outcome}${event.code === undefined ? "" : `: ${event.code}`}`);
    });
    this.#autoscaler = await openAutoscaler({
      catalog,
      journal,
      sleepGate,
      clock: process.clock,
      logger: silentLogger,
      config,
      peers,
      elector: this.lead,
      sources: new Map([["metrics", source]]),
      singleHost: shared !== undefined,
      at,
    });
    return this;
  }

  /** An operator asks for a sleep, and does not wait for it. */
  askForSleep(ref: ResourceRef): void {
    this.process.run(() => {
      this.#autoscaler?.sleep(ref, { by: "operator", reason: "to save" }).catch(() => {});
    });
  }

  breakWatches(): void {
    this.#plugin?.breakWatches();
  }

  kill(): void {
    this.process.kill();
    this.steps.clear();
  }

  async close(): Promise<void> {
    await this.#autoscaler?.[Symbol.asyncDispose]();
    if (this.#plugin === undefined) return;
    await this.#parts.catalog[Symbol.asyncDispose]();
    await this.#parts.scaler[Symbol.asyncDispose]();
  }
}
