import {
  backoffMs,
  type Clock,
  type Milliseconds,
  type ResourceFailure,
  type Timer,
  toScalerError,
} from "@dormouse/core";
import type { ChildInstance, InstanceEvents } from "./child-instance.ts";
import { type Exit, isPortClash, toCrashLoop, toFailure, toStartFailure } from "./process-error.ts";

const firstRestMs: Milliseconds = 200;
const longestRestMs: Milliseconds = 30_000;

/** A process that ran for so long did not fail to start. */
const stableMs: Milliseconds = 10_000;

/** Quick deaths in a row that are a crash loop. */
const crashLoopDeaths = 3;

/** Other ports that are tried for one start, where a stranger was faster. */
const mostPortClashes = 5;

/** Instances of one replica that may still be stopping while the next one starts on a port of its own. */
const mostLeaving = 2;

/** What a replica needs of the instance that runs for it. */
export type Instance = Pick<
  ChildInstance,
  "id" | "host" | "port" | "isWanted" | "isReady" | "wasReady" | "ended" | "stop"
>;

export interface ReplicaOptions {
  readonly clock: Clock;
  /** Opens a process by the specification of now. Rejects with a ScalerError. */
  open(events: InstanceEvents): Promise<Instance>;
  /** Program of the present specification, for messages. */
  readonly command: () => string;
  /** Whether the port is the same for every instance, which then cannot overlap. */
  readonly hasFixedPort: () => boolean;
  /** Ready, failure or number of instances changed. */
  onChange(): void;
}

type State =
  | { readonly kind: "stopped" }
  | { readonly kind: "opening" }
  | { readonly kind: "running"; readonly instance: Instance; readonly since: Milliseconds }
  | { readonly kind: "resting"; readonly timer: Timer };

/** Keeps one process running while it is wanted: starts it, starts it again after its end, stops it. */
export class Replica {
  readonly #options: ReplicaOptions;
  readonly #leaving = new Set<Instance>();
  #state: State = { kind: "stopped" };
  #opening: Promise<void> | undefined;
  #failure: ResourceFailure | undefined;
  #rests = 0;
  #quickDeaths = 0;
  #portClashes = 0;

  constructor(options: ReplicaOptions) {
    this.#options = options;
  }

  /** Why it is not running, until it is ready or asked to start anew. */
  get failure(): ResourceFailure | undefined {
    return this.#failure;
  }

  /** The running instance, unless its end has begun. */
  get instance(): Instance | undefined {
    return this.#state.kind === "running" && this.#state.instance.isWanted ? this.#state.instance : undefined;
  }

  /** Stopped instances that were ready and still run. */
  get leavingReady(): number {
    return [...this.#leaving].filter(({ wasReady }) => wasReady).length;
  }

  /** Nothing of it runs or will run. */
  get isOver(): boolean {
    return this.#state.kind === "stopped" && this.#leaving.size === 0 && this.#opening === undefined;
  }

  /** Wants it to run. What failed before is forgotten, and a rest ends. */
  start(): void {
    this.#failure = undefined;
    this.#rests = 0;
    this.#portClashes = 0;
    const state = this.#state;
    if (state.kind === "opening" || this.instance !== undefined) return;
    if (state.kind === "resting") state.timer.cancel();
    // It has ended, and how is about to be told; that is older than this wish.
    if (state.kind === "running") this.#leave(state.instance);
    this.#beginOpening();
  }

  /** Wants it to end. Its instance is asked to stop before this returns. */
  stop(): void {
    const state = this.#state;
    this.#state = { kind: "stopped" };
    this.#failure = undefined;
    this.#quickDeaths = 0;
    if (state.kind === "resting") state.timer.cancel();
    if (state.kind === "running") this.#leave(state.instance);
  }

  /** Resolves once it is over; it must have been stopped. Never rejects. */
  async ended(): Promise<void> {
    while (!this.isOver) await Promise.all([this.#opening, ...[...this.#leaving].map(({ ended }) => ended)]);
  }

  #beginOpening(): void {
    this.#state = { kind: "opening" };
    // One at a time: a stop and a start while one is under way just let it go on.
    this.#opening ??= this.#runOpening();
  }

  async #runOpening(): Promise<void> {
    while (this.#state.kind === "opening") await this.#openOnce();
    this.#opening = undefined;
    this.#options.onChange();
  }

  async #openOnce(): Promise<void> {
    try {
      await this.#roomToOpen();
      if (this.#state.kind !== "opening") return;
      this.#adopt(await this.#openInstance());
    } catch (error) {
      if (this.#state.kind !== "opening") return;
      this.#rest(toFailure(toScalerError(error)));
    }
  }

  /** Waits for earlier instances that are still stopping. */
  async #roomToOpen(): Promise<void> {
    const most = this.#options.hasFixedPort() ? 0 : mostLeaving - 1;
    while (this.#leaving.size > most && this.#state.kind === "opening") {
      await Promise.race([...this.#leaving].map(({ ended }) => ended));
    }
  }

  /** Events come from sockets and the kernel, so that none comes before the instance is adopted. */
  async #openInstance(): Promise<Instance> {
    const opened: { instance?: Instance } = {};
    const instance = await this.#options.open({
      onReady: () => this.#onReady(opened.instance),
      onExit: (exit) => this.#onExit(opened.instance, exit),
    });
    opened.instance = instance;
    return instance;
  }

  #adopt(instance: Instance): void {
    if (this.#state.kind !== "opening") return this.#leave(instance);
    this.#state = { kind: "running", instance, since: this.#options.clock.monotonic() };
    this.#options.onChange();
  }

  #onReady(instance: Instance | undefined): void {
    if (this.#state.kind !== "running" || this.#state.instance !== instance) return;
    this.#failure = undefined;
    this.#options.onChange();
  }

  #onExit(instance: Instance | undefined, exit: Exit): void {
    if (this.#state.kind !== "running" || this.#state.instance !== instance) return;
    const { since } = this.#state;
    const ranForMs = this.#options.clock.monotonic() - since;
    this.#leave(this.#state.instance);
    if (this.#isLostPort(exit, this.#state.instance)) {
      this.#portClashes += 1;
      return this.#beginOpening();
    }
    this.#rest(this.#failureOf(this.#state.instance, exit, ranForMs));
  }

  #isLostPort(exit: Exit, instance: Instance): boolean {
    if (this.#options.hasFixedPort() || instance.wasReady || this.#portClashes >= mostPortClashes) return false;
    return isPortClash(exit);
  }

  /** A process that was ready may end twice without being called a failure. */
  #failureOf(instance: Instance, exit: Exit, ranForMs: Milliseconds): ResourceFailure | undefined {
    const command = this.#options.command();
    if (!instance.wasReady) return toStartFailure(exit, command, instance.port);
    if (ranForMs >= stableMs) this.#rests = 0;
    this.#quickDeaths = ranForMs >= stableMs ? 0 : this.#quickDeaths + 1;
    return this.#quickDeaths < crashLoopDeaths ? undefined : toCrashLoop(exit, command, this.#quickDeaths);
  }

  #rest(failure: ResourceFailure | undefined): void {
    this.#failure = failure;
    const restMs = backoffMs(this.#rests, { firstMs: firstRestMs, longestMs: longestRestMs });
    this.#rests += 1;
    const timer = this.#options.clock.setTimer(restMs, () => this.#beginOpening());
    this.#state = { kind: "resting", timer };
    this.#options.onChange();
  }

  #leave(instance: Instance): void {
    this.#leaving.add(instance);
    instance.stop();
    void instance.ended.finally(() => {
      this.#leaving.delete(instance);
      this.#options.onChange();
    });
  }
}
