import {
  type DlxConfig,
  type DlxPeer,
  EventJournal,
  type GuardedScaler,
  type LocalRef,
  type Milliseconds,
  parseConfig,
  type PeerDiscovery,
  ResourceCatalog,
  type Route,
  silentLogger,
  SleepGate,
} from "@dormouse/core";
import {
  createIntake,
  type Dial,
  type FrontState,
  GateKeeper,
  Networks,
  RouteTable,
  StartingRoom,
} from "@dormouse/dlx/testing";
import type { Network } from "../engine/network.ts";
import type { SimulatedProcess } from "../engine/simulated-process.ts";
import type { Weather } from "../engine/weather.ts";
import { scalerId, type SimulatedPlatform } from "../platform/simulated-platform.ts";
import { openSimulatedScaler, type SimulatedScaler } from "../platform/simulated-scaler.ts";
import type { ClientRequest } from "../world/request-ledger.ts";
import { MemoryExchange, type Received } from "./client-connection.ts";
import type { Executions } from "./executions.ts";
import { SimulatedForwarder } from "./simulated-forwarder.ts";

/** Where a wake is, as far as its messages tell. */
export type WakeMoment = "listed" | "dependencies" | "claim" | "start" | "release" | "restore";

export interface DlxProcessOptions {
  readonly process: SimulatedProcess;
  readonly platform: SimulatedPlatform;
  readonly network: Network;
  readonly weather: Weather;
  readonly executions: Executions;
  /** Left out: this process is the whole host. */
  readonly peers: ((process: SimulatedProcess) => PeerDiscovery) | undefined;
  readonly isBodyKept: boolean;
  readonly onMoment: (moment: WakeMoment) => void;
  /** Told of each attempt to forward a request. */
  readonly onSend: (request: string) => void;
  readonly onBroken: (when: "request-lost" | "answer-lost") => void;
}

const baseConfig: DlxConfig = parseConfig({ scalers: [{ use: "process", id: scalerId }] }, "simulation").dlx;

/** A DLX without sockets: gates, exchanges and forwarding decisions are the shipped ones, what is outside is simulated. */
export class DlxProcess {
  readonly process: SimulatedProcess;
  readonly catalog: ResourceCatalog;
  readonly scaler: GuardedScaler;
  readonly sleepGate: SleepGate;
  readonly journal: EventJournal;
  readonly keeper: GateKeeper;
  readonly #plugin: SimulatedScaler;
  readonly #front: FrontState;
  readonly #intake: ReturnType<typeof createIntake>;
  readonly #open = new Map<ClientRequest, MemoryExchange>();
  #isDraining = false;
  #drained: () => void = () => {};

  static async open(options: DlxProcessOptions): Promise<DlxProcess> {
    const { process, platform, network, onMoment } = options;
    const onCall = (call: string, ref: LocalRef | undefined): void => noteCall(call, ref, onMoment);
    const opened = await openSimulatedScaler({ process, platform, network, onCall });
    return new DlxProcess(options, opened.scaler, opened.plugin);
  }

  private constructor(options: DlxProcessOptions, scaler: GuardedScaler, plugin: SimulatedScaler) {
    const { process, platform, executions } = options;
    const { clock } = process;
    this.process = process;
    this.scaler = scaler;
    this.#plugin = plugin;
    this.sleepGate = new SleepGate(clock);
    this.journal = new EventJournal(clock, 100);
    this.catalog = new ResourceCatalog({ clock, logger: silentLogger, listEveryMs: 2_000 });
    const config = { ...baseConfig, replayBody: options.isBodyKept ? baseConfig.replayBody : 0 };
    const onSend = (request: string): void => {
      options.onMoment("release");
      options.onSend(request);
    };
    const forwarder = new SimulatedForwarder({ ...options, executions, onSend });
    const peers = options.peers?.(process);
    this.keeper = new GateKeeper({
      clock,
      logger: silentLogger,
      journal: this.journal,
      catalog: this.catalog,
      sleepGate: this.sleepGate,
      dial: dialIn(options),
      upstreams: forwarder,
      limits: () => config,
      seesDirect: () => true,
      ...(peers !== undefined && { peers }),
    });
    this.#front = {
      clock,
      logger: silentLogger,
      forwarder,
      recorder: { record: () => {} },
      startingRoom: new StartingRoom({ clock, longestMs: 10_000, limit: () => 1_000 }),
      tracing: undefined,
      gateOf: (key) => this.keeper.gate(key),
      policyOf: (key) => this.keeper.gate(key)!.policy,
      isStarting: () => this.catalog.unlisted().length > 0,
      isDirect: (key) => this.keeper.opened(key)?.restored === true,
      config,
      table: new RouteTable([...platform.resources.keys()].map(toRoute)),
      trusted: new Networks([]),
      isDraining: false,
      active: 0,
      onIdle: () => {},
    };
    this.#intake = createIntake(this.#front);
    this.catalog.follow(scaler);
  }

  /** This DLX as others reach it. */
  get peer(): DlxPeer {
    return this.keeper.peer;
  }

  /** It still takes new connections. */
  get isOpen(): boolean {
    return !this.process.isDead && !this.#isDraining;
  }

  /** Requests that have not ended. */
  get active(): number {
    return this.#front.active;
  }

  /** @param ended called once, with the whole answer or with undefined */
  take(request: ClientRequest, ended: (received: Received | undefined) => void): void {
    const exchange = new MemoryExchange(request, (received) => {
      this.#open.delete(request);
      ended(received);
    });
    this.#open.set(request, exchange);
    this.#intake.request(exchange.client, exchange.request, exchange.response, false);
  }

  /** The request's client goes away. */
  leave(request: ClientRequest): void {
    this.process.run(() => this.#open.get(request)?.breakOff());
  }

  breakWatches(): void {
    this.#plugin.breakWatches();
  }

  /** Requests whose clients lose their connection as the process dies. */
  kill(): readonly ClientRequest[] {
    this.process.kill();
    this.#drained();
    return [...this.#open.keys()];
  }

  /** SIGTERM: takes no more and finishes what it has. Resolves once it has, or dies at it. */
  async drain(limitMs: Milliseconds): Promise<void> {
    this.#isDraining = true;
    this.#front.isDraining = true;
    await new Promise<void>((resolve) => {
      const timer = this.process.clock.setTimer(limitMs, resolve);
      this.#drained = resolve;
      this.#front.onIdle = () => {
        timer.cancel();
        resolve();
      };
      if (this.#front.active === 0) this.#front.onIdle();
    });
  }

  async close(): Promise<void> {
    this.#isDraining = true;
    this.#front.startingRoom.close();
    await this.keeper[Symbol.asyncDispose]();
    await this.catalog[Symbol.asyncDispose]();
    await this.scaler[Symbol.asyncDispose]();
  }
}

function toRoute(name: string): Route {
  return { ref: { scaler: scalerId, namespace: "default", name }, host: `${name}.test`, origin: "simulation" };
}

function noteCall(call: string, ref: LocalRef | undefined, onMoment: DlxProcessOptions["onMoment"]): void {
  if (call.startsWith("setScale")) onMoment(ref?.name === "db" ? "dependencies" : "claim");
  if (call.startsWith("targets")) onMoment("start");
  if (call.startsWith("route")) onMoment("restore");
}

/** A connection is taken or refused at once; now and then nothing is heard for as long as a dial may take. */
function dialIn({ process, platform, weather }: DlxProcessOptions): Dial {
  let dials = 0;
  return (target, _probe, signal) => {
    dials += 1;
    const passing = { text: "dial", at: process.clock.monotonic() };
    const { fault, requestMs } = weather.fateOf(`${process.name} dial ${String(dials)}`, passing);
    const isLost = fault === "request-lost" || fault === "answer-lost";
    const takesMs = isLost || fault === "late" ? Math.min(100, requestMs + 50) : 1;
    const { promise, resolve, reject } = Promise.withResolvers<Awaited<ReturnType<Dial>>>();
    const onAbort = (): void => end(() => reject(signal.reason));
    const timer = process.clock.setTimer(takesMs, () => {
      const isTaken = platform.instanceAt(target.host)?.takesConnections === true && !isLost;
      const reached = { id: target.id, address: target.host, port: target.port };
      end(() => (isTaken ? resolve(reached) : reject(new Error("refused"))));
    });
    const end = (settle: () => void): void => {
      timer.cancel();
      signal.removeEventListener("abort", onAbort);
      settle();
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
    return promise;
  };
}
