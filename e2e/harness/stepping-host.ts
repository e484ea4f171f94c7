import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Autoscaler, createDlxSource, openAutoscaler, type SleepStep } from "@dormouse/autoscaler";
import {
  type CatalogEntry,
  EventJournal,
  openPort,
  openScaler,
  parseConfig,
  resolveDefaults,
  ResourceCatalog,
  type ResourceRef,
  type ScaleEvent,
  type ScalerPlugin,
  silentLogger,
  SleepGate,
  soleLeader,
  systemClock,
} from "@dormouse/core";
import { type Dlx, localPeers, openDlx } from "@dormouse/dlx";
import type { ResourceConfig } from "./host-config.ts";
import { until } from "./until.ts";

/** A sleep that waits at a step until it may go on. */
export interface Pause {
  /** Resolves once the sleep waits. */
  readonly reached: Promise<void>;
  resume(): void;
}

interface Armed extends Pause {
  readonly step: SleepStep;
  readonly arrive: () => void;
  readonly resumed: Promise<void>;
}

/** The parts of `dormouse up` in this process, so that a test can stop a sleep before any of its steps. */
export class SteppingHost implements AsyncDisposable {
  readonly origin: string;
  readonly journal: EventJournal;
  readonly #dlx: Dlx;
  readonly #autoscaler: Autoscaler;
  readonly #catalog: ResourceCatalog;
  readonly #closing: readonly (() => Promise<unknown>)[];
  readonly #armed: Armed[];

  private constructor(parts: Parts, armed: Armed[]) {
    this.journal = parts.journal;
    this.#dlx = parts.dlx;
    this.#autoscaler = parts.autoscaler;
    this.#catalog = parts.catalog;
    this.#closing = parts.closing;
    this.#armed = armed;
    this.origin = `http://${parts.dlx.addresses[0]?.listen}`;
  }

  static async open(plugin: ScalerPlugin, resources: readonly ResourceConfig[]): Promise<SteppingHost> {
    const armed: Armed[] = [];
    const at = async (step: SleepStep): Promise<void> => {
      const index = armed.findIndex((one) => one.step === step);
      const [pause] = index === -1 ? [] : armed.splice(index, 1);
      pause?.arrive();
      await pause?.resumed;
    };
    const host = new SteppingHost(await openParts(plugin, resources, at), armed);
    await until("the resources were listed", () => host.#catalog.unlisted().length === 0);
    return host;
  }

  /** The next sleep that comes to this step waits there. */
  pauseAt(step: SleepStep): Pause {
    const arrival = Promise.withResolvers<void>();
    const resumption = Promise.withResolvers<void>();
    const pause = { reached: arrival.promise, resume: resumption.resolve };
    this.#armed.push({ ...pause, step, arrive: arrival.resolve, resumed: resumption.promise });
    return pause;
  }

  entry(name: string): CatalogEntry {
    const entry = this.#catalog.get(`local/default/${name}`);
    if (entry === undefined) throw new Error(`there is no ${name}`);
    return entry;
  }

  /** What the DLX counts for a resource. */
  status(name: string): ReturnType<Dlx["status"]> {
    return this.#dlx.status(`local/default/${name}`);
  }

  /** Puts a resource to sleep, whether it is idle or not. */
  sleep(name: string): Promise<ScaleEvent> {
    return this.#autoscaler.sleep(refOf(name), { by: "operator", reason: "the test asks" });
  }

  async untilState(name: string, kind: CatalogEntry["state"]["kind"]): Promise<void> {
    const state = (): string => this.entry(name).state.kind;
    await until(
      () => `${name} was ${kind}, it is ${state()}`,
      () => state() === kind,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { resume } of this.#armed) resume();
    for (const close of this.#closing) await close();
  }
}

interface Parts {
  readonly journal: EventJournal;
  readonly catalog: ResourceCatalog;
  readonly dlx: Dlx;
  readonly autoscaler: Autoscaler;
  /** In this order. */
  readonly closing: readonly (() => Promise<unknown>)[];
}

async function openParts(
  plugin: ScalerPlugin,
  resources: readonly ResourceConfig[],
  at: (step: SleepStep) => Promise<void>,
): Promise<Parts> {
  const clock = systemClock;
  const logger = silentLogger;
  const config = parseConfig(
    { scalers: [{ use: "process", id: "local" }], dlx: { listen: "127.0.0.1:0" }, autoscaler: { every: "20ms" } },
    "e2e",
  );
  const journal = new EventJournal(clock);
  const catalog = new ResourceCatalog({ clock, logger });
  const sleepGate = new SleepGate(clock);
  const stateDir = mkdtempSync(join(tmpdir(), "dormouse-e2e-state-"));
  const context = { id: "local", logger, clock, defaults: resolveDefaults(config) };
  const scaler = await openScaler(plugin, { resources, stateDir, logs: { show: false } }, context);
  catalog.follow(scaler);
  const dlx = await openDlx({ catalog, clock, logger, journal, sleepGate, config: config.dlx });
  const peers = localPeers(dlx);
  const source = await openPort(createDlxSource(peers), {}, { id: "dlx", logger, clock });
  const shared = { catalog, clock, logger, journal, sleepGate };
  const autoscaler = await openAutoscaler({
    ...shared,
    peers,
    at,
    config: config.autoscaler,
    elector: soleLeader,
    sources: new Map([["dlx", source]]),
    singleHost: true,
  });
  const closing = [
    async () => autoscaler[Symbol.asyncDispose](),
    async () => dlx[Symbol.asyncDispose](),
    async () => source[Symbol.asyncDispose](),
    async () => peers[Symbol.asyncDispose](),
    async () => catalog[Symbol.asyncDispose](),
    async () => scaler[Symbol.asyncDispose](),
    async () => rmSync(stateDir, { recursive: true, force: true }),
  ];
  return { journal, catalog, dlx, autoscaler, closing };
}

function refOf(name: string): ResourceRef {
  return { scaler: "local", namespace: "default", name };
}
