import { setTimeout as sleep } from "node:timers/promises";
import { Gates } from "../harness/gates.ts";
import { Host } from "../harness/host.ts";
import { readLedger } from "../harness/ledger.ts";
import { variableOf } from "../harness/processes.ts";
import { idsOf, type SendOptions, Traffic, type TrafficOptions } from "../harness/traffic.ts";
import { until } from "../harness/until.ts";
import { onInterrupt } from "./interrupts.ts";
import { type HostSize, sizeOf, untilAsBefore } from "./aftermath.ts";
import { seededRandom } from "../harness/seeded-random.ts";
import { httpServer, jsonServer, type RealServer } from "./real-servers.ts";
import { besideName, configOf, launchOf, limits, openGates, type StagePlan, struckName } from "./stage-plan.ts";
import { SteadyLoad } from "./steady-load.ts";
import { TemporaryFolder } from "./temporary-folder.ts";
import { type Strike, type Tally, toTally } from "./tally.ts";

/** What a busy machine may add before somebody notices that a limit has passed. */
const slackMs = 4_000;

/** From a SIGKILL until the last connection of the process is gone and a busy host has noticed it. */
const endingMs = 1_000;

/** Half of them may never be executed twice. The answer waits at a gate that a moment can close. */
const mix: readonly SendOptions[] = [
  { method: "POST", path: "/?gate=answer", body: "once and no more" },
  { path: "/?gate=answer" },
  { method: "POST", path: "/?gate=answer" },
  { method: "PUT", path: "/?gate=answer", body: "as often as you like" },
];

/** How many requests come at once at a moment. */
const rushed = 8;

interface Witness {
  readonly name: string;
  readonly traffic: Traffic;
  readonly executed: () => readonly string[] | undefined;
  /** Codes of refusals that the fault explains. */
  readonly mayRefuse: readonly string[];
  load?: SteadyLoad;
}

/**
 * A host as it was built, under load for four services: the one that is struck, its like beside it, and two servers from
 * npm. Each of them sleeps whenever the load leaves it alone for a moment.
 */
export class FaultStage {
  readonly host: Host;
  readonly gates: Gates;
  readonly #plan: StagePlan;
  readonly #strikes: Strike[] = [];
  readonly #witnesses: Witness[] = [];
  #times = 0;

  private constructor(host: Host, gates: Gates, plan: StagePlan) {
    this.host = host;
    this.gates = gates;
    this.#plan = plan;
  }

  /** Sets a stage, plays on it, waits until all is as it was before, and reads the books. */
  static async play(plan: StagePlan, body: (stage: FaultStage) => Promise<void>): Promise<Tally> {
    const folder = new TemporaryFolder();
    const gates = new Gates();
    for (const gate of openGates) gates.open(gate);
    let starting: Promise<Host> | undefined;
    const interrupt = onInterrupt(async () => {
      await starting?.then((host) => host.kill());
      gates[Symbol.dispose]();
    });
    try {
      const servers =
        plan.isBare === true ? [] : [httpServer(folder.path, "site"), await jsonServer(folder.path, "api")];
      const resources = servers.map(({ resource }) => resource);
      starting = Host.start(configOf(plan, gates, resources), launchOf(plan, gates));
      return await new FaultStage(await starting, gates, plan).#play(servers, body);
    } finally {
      interrupt[Symbol.dispose]();
      gates[Symbol.dispose]();
      folder[Symbol.dispose]();
    }
  }

  /** To the service that is struck. */
  get traffic(): Traffic {
    return this.#struck.traffic;
  }

  /** On the service that is struck. */
  get load(): SteadyLoad {
    const { load } = this.#struck;
    if (load === undefined) throw new Error("the load has not begun");
    return load;
  }

  /** Requests that have not ended, to whichever service. */
  get open(): number {
    return this.#witnesses.reduce((sum, { traffic }) => sum + traffic.open, 0);
  }

  /** Lets the load on the struck service go on, and sends some requests at once that need not be waited for. */
  rush(): void {
    this.load.resume();
    for (let count = 0; count < rushed; count += 1) void this.traffic.send(mix[count % mix.length]);
  }

  /** Sends nothing more to anybody until `resumeAll`. */
  pauseAll(): void {
    for (const { load } of this.#witnesses) load?.pause();
  }

  resumeAll(): void {
    for (const { load } of this.#witnesses) load?.resume();
  }

  /** The fault has struck once more. */
  countStrike(): void {
    this.#times += 1;
  }

  /** The host is about to be killed: what is open now goes with it. */
  noteEndOfHost(): void {
    this.#strikes.push({ victim: "host", at: performance.now(), open: this.open });
  }

  /** The service, or its connections, are about to be ended: what is open now may meet that, and what comes before it is over. */
  noteEndOfService(): void {
    const at = performance.now();
    this.#strikes.push({ victim: "service", at, until: at + endingMs, open: this.open });
  }

  /** From now until the result is called there are connections for nobody new; at most so many requests meet that. */
  noteNoConnections(most: number): () => void {
    const strike = {
      victim: "connections" as const,
      at: performance.now(),
      until: Number.POSITIVE_INFINITY,
      open: most,
    };
    this.#strikes.push(strike);
    return () => void (strike.until = performance.now());
  }

  /** The process of the service that is struck, if there is one: the newest that runs this program. */
  servicePid(program = "echo"): number | undefined {
    const own = this.host.children.filter(({ command }) => command.endsWith(`/${program}.ts`));
    return own.findLast(({ pid }) => variableOf(pid, "NAME") === struckName)?.pid;
  }

  /** Resolves once all requests to the struck service have ended. */
  async quiet(): Promise<void> {
    await until("the requests ended", () => this.traffic.open === 0);
  }

  /** Resolves once the struck service answers a fresh request. */
  async recovered(): Promise<void> {
    await until("a fresh request was answered", async () => {
      const { outcome } = await this.traffic.send({ method: "POST", body: "fresh" });
      if (outcome !== "answered") await sleep(100);
      return outcome === "answered";
    });
  }

  /** Requests whose books are read with the others; the service is a fixture and keeps a ledger. */
  witness(name: string, mayRefuse: readonly string[] = []): Traffic {
    const traffic = this.#openTraffic(name);
    const executed = (): readonly string[] => idsOf(readLedger(this.gates.ledger(name)));
    this.#witnesses.push({ name, traffic, executed, mayRefuse });
    return traffic;
  }

  get #struck(): Witness {
    const [first] = this.#witnesses;
    if (first === undefined) throw new Error("the stage is empty");
    return first;
  }

  async #play(servers: readonly RealServer[], body: (stage: FaultStage) => Promise<void>): Promise<Tally> {
    const problems: string[] = [];
    try {
      const before = await this.#warmUp();
      this.#beginLoad(servers);
      await body(this);
      await this.#end(before);
    } catch (error) {
      const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
      problems.push(`${what}\n--- end of what the host printed\n${this.host.tail}\n---`);
      await this.#giveUp();
    }
    for (const { traffic } of this.#witnesses) await traffic[Symbol.asyncDispose]();
    await this.#stopLoads();
    await this.host.kill();
    return this.#count(problems);
  }

  /** Each fixture has been awake once before anything is measured. */
  async #warmUp(): Promise<HostSize> {
    const { mayRefuse, othersMayRefuse } = this.#plan;
    await this.witness(struckName, mayRefuse).send();
    await this.witness(besideName, othersMayRefuse).send();
    for (const name of [struckName, besideName]) await this.host.untilState(name, "asleep");
    return sizeOf(this.host);
  }

  #beginLoad(servers: readonly RealServer[]): void {
    const [struck, beside] = this.#witnesses;
    if (struck !== undefined) this.#load(struck, 3, 700, mix);
    if (this.#plan.isBare === true) return;
    if (beside !== undefined) this.#load(beside, 2, 900, mix);
    for (const { resource, isAnswer, requests, executed } of servers) {
      const traffic = this.#openTraffic(resource.name, { isAnswer });
      const witness = { name: resource.name, traffic, executed, mayRefuse: this.#plan.othersMayRefuse ?? [] };
      this.#witnesses.push(witness);
      this.#load(witness, 1, 2_500, requests);
    }
  }

  /** A request that never ends is given up a little after its bound, so that it is found. */
  #openTraffic(name: string, options: Partial<TrafficOptions> = {}): Traffic {
    const limitMs = 2 * this.#boundMs;
    return new Traffic({ origin: this.host.origin, host: `${name}.test`, limitMs, ...options });
  }

  #load(witness: Witness, clients: number, longestPauseMs: number, requests: readonly SendOptions[]): void {
    const random = seededRandom(1, witness.name);
    witness.load = new SteadyLoad({ traffic: witness.traffic, clients, longestPauseMs, requests, random });
  }

  async #end(before: HostSize): Promise<void> {
    this.#openAllGates();
    await this.#stopLoads();
    await until("all requests ended", () => this.open === 0, this.#boundMs);
    for (const { traffic } of this.#witnesses) await traffic[Symbol.asyncDispose]();
    await untilAsBefore(this.host, before);
    this.host.signal("SIGTERM");
    const code = await this.host.ended();
    if (code !== 0) throw new Error(`the host ended with ${String(code)}`);
    await this.host.expectNothingLeft();
  }

  /** So that requests which nothing is wrong with still end, and are not counted as lost. */
  async #giveUp(): Promise<void> {
    this.#openAllGates();
    await this.#stopLoads();
    await until("all requests ended", () => this.open === 0, this.#boundMs).catch(() => {});
  }

  async #stopLoads(): Promise<void> {
    await Promise.all(this.#witnesses.map(async ({ load }) => load?.stop()));
  }

  #openAllGates(): void {
    for (const gate of openGates) this.gates.open(gate);
  }

  get #boundMs(): number {
    return limits.holdTimeoutMs + limits.responseTimeoutMs + (this.#plan.delayMs ?? 0) + slackMs;
  }

  #count(problems: readonly string[]): Tally {
    const books = this.#witnesses.map(({ name, traffic, executed, mayRefuse }) => ({
      name,
      sent: traffic.sent,
      executed: executed(),
      mayRefuse,
    }));
    return toTally(books, this.#strikes, this.#boundMs, this.#times, problems);
  }
}
