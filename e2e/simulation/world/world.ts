import {
  type AutoscalerConfig,
  defaultPolicy,
  type Milliseconds,
  type PeerDiscovery,
  type Policy,
  type ResourceRef,
} from "@dormouse/core";
import { FakeClock } from "@dormouse/core/testing";
import { Network } from "../engine/network.ts";
import { SeededRandom } from "../../harness/seeded-random.ts";
import { SimulatedProcess } from "../engine/simulated-process.ts";
import { TimeLine } from "../engine/time-line.ts";
import { Weather } from "../engine/weather.ts";
import { AutoscalerProcess } from "../parts/autoscaler-process.ts";
import { DlxProcess } from "../parts/dlx-process.ts";
import { Executions } from "../parts/executions.ts";
import { remotePeers } from "../parts/remote-peers.ts";
import { SimulatedMetrics } from "../parts/simulated-metrics.ts";
import type { Instance } from "../platform/instance.ts";
import { isOurs } from "../platform/is-ours.ts";
import { SimulatedPlatform } from "../platform/simulated-platform.ts";
import type { Write } from "../platform/resource-options.ts";
import type { SimulatedResource } from "../platform/simulated-resource.ts";
import type { Scenario } from "../scenario/scenario.ts";
import { checkCount, checkCut, checkNeeds, checkStop, type Property, type Violation } from "./checks.ts";
import { Clients } from "./clients.ts";
import { Coverage } from "./coverage.ts";
import { Cues } from "./cues.ts";
import { RequestLedger } from "./request-ledger.ts";

export interface WorldOptions {
  /** Messages that may meet a fault; left out: any. */
  readonly onlyFaults?: ReadonlySet<string>;
  /** Keeps what happens, to be read. */
  readonly isTold?: boolean;
}

/** How a DLX whose process has ended leaves the list of them. */
const listLagMs = { least: 5, most: 400, slow: 5_000, dead: 4_000 };

const autoscalerConfig: AutoscalerConfig = {
  every: 1_000,
  metrics: [{ use: "metrics" }],
  concurrency: 10,
  quietPeriod: 1_500,
  sleepTimeout: 5_000,
};

/** All that a run is about: one platform, some hosts, clients, and whatever befalls them. */
export class World {
  readonly scenario: Scenario;
  readonly clock = new FakeClock();
  readonly weather: Weather;
  readonly timeLine: TimeLine | undefined;
  readonly network: Network;
  readonly ledger: RequestLedger;
  readonly executions: Executions;
  readonly platform: SimulatedPlatform;
  readonly metrics: SimulatedMetrics;
  readonly clients: Clients;
  readonly coverage = new Coverage();
  readonly cues: Cues;
  readonly violations: Violation[] = [];
  /** The living and the dead, in their order. */
  readonly dlxs: DlxProcess[] = [];
  readonly autoscalers: AutoscalerProcess[] = [];
  /** What opens or closes in the background. */
  readonly pending = new Set<Promise<unknown>>();
  /** Until when a tool reverts what we annotate, by resource. */
  readonly gitops = new Map<string, Milliseconds>();
  steps = 0;
  readonly #counts = { dlx: 0, autoscaler: 0, host: 0 };

  constructor(scenario: Scenario, { onlyFaults, isTold = false }: WorldOptions = {}) {
    const { clock } = this;
    const now = (): Milliseconds => clock.monotonic();
    this.scenario = scenario;
    this.timeLine = isTold ? new TimeLine(now) : undefined;
    this.weather = new Weather(scenario.seed, scenario.climate, scenario.spells, onlyFaults);
    this.network = new Network({
      clock,
      weather: this.weather,
      timeLine: this.timeLine,
      onFault: ({ from, kind }, fault) => this.cues.fault(from, kind, fault),
    });
    this.ledger = new RequestLedger(now);
    const cut = (id: string, instance: Instance, cause: string): void => this.#cut(id, instance, cause);
    this.executions = new Executions(clock, this.ledger, this.timeLine, cut);
    const resources = scenario.resources.map(({ policy, ...rest }) => ({
      ...rest,
      policy: toPolicy(policy, rest.name),
    }));
    this.platform = new SimulatedPlatform({
      ...scenario,
      resources,
      clock,
      timeLine: this.timeLine,
      written: (resource, write) => this.#written(resource, write),
    });
    this.metrics = new SimulatedMetrics(clock, this.executions);
    this.clients = new Clients(this);
    this.cues = new Cues(this);
  }

  get random(): (name: string) => SeededRandom {
    return (name) => new SeededRandom(this.scenario.seed, name);
  }

  readonly violate = (property: Property, what: string): void => {
    this.violations.push({ property, what, at: this.clock.monotonic() });
    this.timeLine?.add("!!", `${property}: ${what}`);
  };

  note(who: string, what: string): void {
    this.timeLine?.add(who, what);
  }

  ref(name: string): ResourceRef {
    return this.platform.resource({ name }).ref;
  }

  get liveDlxs(): readonly DlxProcess[] {
    return this.dlxs.filter(({ process }) => !process.isDead);
  }

  get openDlxs(): readonly DlxProcess[] {
    return this.dlxs.filter((dlx) => dlx.isOpen);
  }

  get liveAutoscalers(): readonly AutoscalerProcess[] {
    return this.autoscalers.filter(({ process }) => !process.isDead);
  }

  /** Opens the hosts that the scenario begins with. */
  async open(): Promise<void> {
    const { hosts, dlxs, autoscalers } = this.scenario;
    if (hosts === "one") return this.openHost();
    for (let count = 0; count < dlxs; count += 1) await this.openDlx();
    for (let count = 0; count < autoscalers; count += 1) await this.openAutoscaler();
  }

  /** Does something that takes its time, while the run goes on. */
  background(work: Promise<unknown>): void {
    const settled = work.catch((error: unknown) => this.violate("fault", `a part failed: ${String(error)}`));
    this.pending.add(settled);
    void settled.then(() => this.pending.delete(settled));
  }

  /** A DLX in a process of its own: it shows in the platform's list a moment later. */
  async openDlx(): Promise<DlxProcess> {
    const process = this.#newProcess("dlx");
    const dlx = await this.#openDlx(process, (of) => this.#peersOf(of, () => this.cues.wake("listed")));
    const random = this.random(`${process.name} listed`);
    const mostMs = random.chance(0.4) && !this.weather.isCalm ? listLagMs.slow : listLagMs.most;
    this.clock.setTimer(random.between(listLagMs.least, mostMs), () => {
      if (process.isDead) return;
      this.platform.listed.set(dlx.keeper.process, { id: dlx.keeper.process, process });
      this.note(process.name, "is listed");
    });
    return dlx;
  }

  async openAutoscaler(): Promise<void> {
    const process = this.#newProcess("autoscaler");
    const autoscaler = await AutoscalerProcess.open(this.#autoscalerOptions(process, this.#peersOf(process)));
    autoscaler.lead.isGiven = this.scenario.allLead || this.liveAutoscalers.every(({ lead }) => !lead.isGiven);
    this.autoscalers.push(autoscaler);
  }

  /** DLX and autoscaler in one process. */
  async openHost(): Promise<void> {
    const process = this.#newProcess("host");
    const dlx = await this.#openDlx(process, undefined);
    const peers = { listPeers: async () => [dlx.peer], [Symbol.asyncDispose]: async () => {} };
    const { catalog, scaler, sleepGate, journal } = dlx;
    const shared = { catalog, scaler, sleepGate, journal };
    this.autoscalers.push(await AutoscalerProcess.open({ ...this.#autoscalerOptions(process, peers), shared }));
  }

  /** Its entry in the platform's list stays for a while, as that of a node that is cut off would. */
  unlist(dlx: DlxProcess, isDead: boolean): void {
    const gone = (): void => void this.platform.listed.delete(dlx.keeper.process);
    if (!isDead) return gone();
    this.clock.setTimer(this.random(`${dlx.process.name} unlisted`).between(0, listLagMs.dead), gone);
  }

  /** Steps until a moment, or until something is so. Whether it became so. */
  async runUntil(end: Milliseconds, isSo: () => boolean = () => false): Promise<boolean> {
    for (;;) {
      if (isSo()) return true;
      if (this.steps > mostSteps) throw new Error(`more than ${String(mostSteps)} steps: nothing comes to rest`);
      if (!(await this.clock.step(end))) break;
      this.steps += 1;
      this.#check();
    }
    await this.clock.advance(Math.max(0, end - this.clock.monotonic()));
    return isSo();
  }

  async #openDlx(process: SimulatedProcess, peers: ((of: SimulatedProcess) => PeerDiscovery) | undefined) {
    const { platform, network, weather, executions, cues } = this;
    const dlx = await DlxProcess.open({
      process,
      platform,
      network,
      weather,
      executions,
      peers,
      isBodyKept: this.scenario.isBodyKept,
      onMoment: (moment) => cues.wake(moment),
      onSend: (id) => this.#sent(id),
      onBroken: (fault) => this.coverage.fault("wake: release", fault),
    });
    dlx.journal.subscribe(({ kind, outcome, code }) => {
      if (kind !== "wake" && kind !== "sleep") return;
      const ending = code === undefined ? outcome : `${outcome}: ${code}`;
      this.coverage.ended(`${kind} ${ending}`);
      this.note(process.name, `${kind} ended: ${ending}`);
    });
    this.dlxs.push(dlx);
    return dlx;
  }

  #autoscalerOptions(process: SimulatedProcess, peers: PeerDiscovery) {
    const { platform, network, cues, metrics } = this;
    return {
      process,
      platform,
      network,
      peers,
      config: autoscalerConfig,
      source: metrics.sourceOf(process, network),
      onStep: cues.sleep,
      onEnd: (ending: string) => {
        if (this.scenario.hosts === "one") return; // its host's DLX shares the journal
        this.coverage.ended(ending);
        this.note(process.name, ending);
      },
    };
  }

  /** @param onList told before each look at the list */
  #peersOf(process: SimulatedProcess, onList: () => void = () => {}): PeerDiscovery {
    const peerOf = ({ id }: { readonly id: string }) => this.dlxs.find(({ keeper }) => keeper.process === id)?.peer;
    const peers = remotePeers(process, this.platform, this.network, peerOf);
    return {
      ...peers,
      listPeers: (options) => {
        onList();
        return peers.listPeers(options);
      },
    };
  }

  #newProcess(kind: "dlx" | "autoscaler" | "host"): SimulatedProcess {
    this.#counts[kind] += 1;
    const process = new SimulatedProcess(`${kind}-${String(this.#counts[kind])}`, this.clock);
    this.note(process.name, "starts");
    return process;
  }

  #sent(id: string): void {
    const request = this.ledger.find(id);
    if (request !== undefined)
      checkNeeds(this.platform.resource({ name: request.plan.resource }), this.platform, this.violate);
  }

  #written(resource: SimulatedResource, write: Write): void {
    checkStop(resource, write, this.dlxs, this.platform, this.violate);
    checkCount(resource, write, this.scenario.capabilities.compareAndSet, this.violate);
    this.#revert(resource, write);
    if (write.from === write.to || write.by.startsWith("person") || write.by.startsWith("hpa")) return;
    this.note(write.by, `${write.to === 0 ? "stopped" : "woke"} ${resource.key}`);
  }

  /** A tool that keeps a resource as it is written somewhere: after each write of ours it takes away what we annotated. */
  #revert(resource: SimulatedResource, { by, version }: Write): void {
    const { clock } = this;
    const { name } = resource.ref;
    if (!isOurs(by) || clock.monotonic() >= (this.gitops.get(name) ?? 0)) return;
    const lateMs = this.random(`revert ${name} ${String(version)}`).between(50, 1_500);
    clock.setTimer(lateMs, () => resource.revert());
  }

  #cut(id: string, instance: Instance, cause: string): void {
    const request = this.ledger.find(id);
    if (request === undefined) return;
    const resource = this.platform.resource({ name: request.plan.resource });
    checkCut(request, instance, resource, cause, this.violate);
  }

  /** At every step: counts are counts and within their bounds (P7), and whoever is held waits for something (P5). */
  #check(): void {
    for (const { keeper, process } of this.dlxs) {
      if (process.isDead) continue;
      const { held, inFlight } = keeper.totals;
      if (held < 0 || inFlight < 0)
        this.violate("P7", `${process.name} counts ${String(held)} held, ${String(inFlight)} in flight`);
      if (held === 0) continue;
      for (const { key } of this.platform.resources.values()) this.#checkHeld(process.name, keeper.opened(key));
    }
  }

  #checkHeld(dlx: string, gate: ReturnType<DlxProcess["keeper"]["opened"]>): void {
    if (gate === undefined || gate.book.held === 0) return;
    const { book, key, policy, needsOthers } = gate;
    if (book.held > policy.maxHeld) this.violate("P7", `${dlx} holds ${String(book.held)} for ${key}`);
    if (!needsOthers) this.violate("P5", `${dlx} holds ${String(book.held)} for ${key}, and nothing will end that`);
  }
}

/** No run of a few minutes needs nearly so many. */
const mostSteps = 150_000;

function toPolicy(policy: object, name: string): Policy {
  return { ...defaultPolicy, ...policy, hosts: [`${name}.test`] };
}
