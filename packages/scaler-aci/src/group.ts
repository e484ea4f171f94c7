import { isDeepStrictEqual } from "node:util";
import type { Clock, LocalRef, Milliseconds, Policy, Resource, ResourceFailure, Target } from "@dormouse/core";
import { toNoPortError, toStartFailure } from "./aci-error.ts";
import type { ArmOperation } from "./arm-api.ts";
import type { GroupFacts } from "./group-facts.ts";
import type { GroupId } from "./group-id.ts";
import type { GroupPolicy } from "./group-policy.ts";
import { type Doom, isDoomed, judgeWish, type Wish } from "./group-wish.ts";

/** What a group gets from its scaler. */
export interface GroupContext {
  readonly clock: Clock;
  readonly defaults: Policy;
  /** How long after it was given up a request may still be carried out. */
  readonly settleWithinMs: Milliseconds;
  /** Never the same again, in no host. */
  readonly nextVersion: () => string;
  /** Moments of this process, ever growing: what began before what. */
  readonly nextOrder: () => number;
}

/**
 * One container group as it was last read, with what this process has asked for since. The version counts in this
 * process: the resource manager has neither a number that a start would raise nor a condition to send along.
 */
export class Group {
  readonly id: GroupId;
  readonly ref: LocalRef;
  readonly #context: GroupContext;
  readonly #createdAt: number;
  #updatedAt: number;
  #version: string;
  #facts: GroupFacts;
  #policy: GroupPolicy;
  #desired: 0 | 1;
  #wish: Wish | undefined;
  #doom: Doom | undefined;
  #startFailure: ResourceFailure | undefined;
  #unreadable: ResourceFailure | undefined;
  #readAt: Milliseconds;
  #changedAt: Milliseconds;
  /** Moments of the last reading and the last write. */
  #readOrder: number;
  #wroteOrder = 0;
  /** Names the present run where its container does not tell. */
  #run: string;

  constructor(id: GroupId, ref: LocalRef, reading: Reading, context: GroupContext) {
    const now = context.clock.now();
    this.id = id;
    this.ref = ref;
    this.#context = context;
    this.#createdAt = now;
    this.#updatedAt = now;
    this.#version = context.nextVersion();
    this.#facts = reading.facts;
    this.#policy = reading.policy;
    this.#readAt = reading.begunAt;
    this.#readOrder = reading.order;
    this.#changedAt = context.clock.monotonic();
    this.#run = this.#version;
    // Nothing is ever taken for stopped that does not say so.
    this.#desired = reading.facts.presence === "stopped" || reading.facts.presence === "ended" ? 0 : 1;
  }

  /** Monotonic ms at which the last reading began. */
  get readAt(): Milliseconds {
    return this.#readAt;
  }

  /** Monotonic ms of the last change of count or specification. */
  get changedAt(): Milliseconds {
    return this.#changedAt;
  }

  get tags(): GroupFacts["tags"] {
    return this.#facts.tags;
  }

  /** On its way from one state to another: worth a look soon. */
  get isChanging(): boolean {
    const { desired, ready, failure } = this.toResource();
    return desired !== ready && failure === undefined;
  }

  get hasPorts(): boolean {
    return this.#facts.ports.length > 0;
  }

  get isAsleep(): boolean {
    return this.#desired === 0;
  }

  /** The operation that has to say why a start does not show; undefined where none is in doubt. */
  get doubtfulOperation(): string | undefined {
    if (this.#wish === undefined) return undefined;
    return judgeWish(this.#wish, this.#facts, this.#context.clock.monotonic()).isDoubtful
      ? this.#wish.operation
      : undefined;
  }

  /** Takes in a reading. One that began before the last write, or before the last reading, may be older and says nothing. */
  observe({ facts, policy, begunAt, order }: Reading): void {
    if (order < this.#readOrder || order < this.#wroteOrder) return;
    const isWrittenAnew = facts.specification !== this.#facts.specification;
    const wasReachable = this.#isReachable();
    this.#readAt = begunAt;
    this.#readOrder = order;
    this.#facts = facts;
    this.#policy = policy;
    this.#unreadable = undefined;
    const desired = this.#judge();
    this.#seeEndOfDoom(desired);
    if (!wasReachable && this.#isReachable()) this.#run = `${this.#version}.${order}`;
    if (isWrittenAnew || desired !== this.#desired) this.#move(desired);
  }

  /** The group could not be read, for a reason of its own; what was known of it stays. */
  observeUnreadable(failure: ResourceFailure): void {
    this.#unreadable = failure;
  }

  /** How the operation of the last start stands; undefined: nobody knows any more. */
  observeOperation(url: string, operation: ArmOperation | undefined): void {
    if (this.#wish?.operation !== url) return;
    if (operation?.problem !== undefined) {
      this.#startFailure = toStartFailure(operation.problem);
      this.#wish = undefined;
      return;
    }
    if (operation === undefined) this.#wish = { count: this.#wish.count, acceptedAt: this.#wish.acceptedAt };
    else if (operation.isDone) this.#wish = { ...this.#wish, isDone: true };
  }

  /** The platform has accepted a count. @returns the version of just this write */
  accepted(count: 0 | 1, operation: string | undefined): string {
    const acceptedAt = this.#context.clock.monotonic();
    this.#wroteOrder = this.#context.nextOrder();
    this.#wish = { count, acceptedAt, ...(operation !== undefined && { operation }) };
    this.#startFailure = undefined;
    if (count === 0) this.#doom = { runs: this.#presentRuns() };
    this.#move(count);
    return this.#version;
  }

  /** The platform has refused a start for good. */
  refused(failure: ResourceFailure): void {
    this.#startFailure = failure;
  }

  /** A write was sent, and nobody knows whether it was accepted: whoever decided before it is refused. */
  doubted(count: 0 | 1): void {
    const now = this.#context.clock.monotonic();
    this.#wroteOrder = this.#context.nextOrder();
    if (count === 0) this.#doom = { runs: this.#presentRuns(), doubtfulUntil: now + this.#context.settleWithinMs };
    this.#move(this.#desired);
  }

  toResource(): Resource {
    const { policy, refusal } = this.#policy;
    const failure = this.#failure();
    return {
      ref: this.ref,
      desired: this.#desired,
      ready: this.#ready() ? 1 : 0,
      wakeReplicas: 1,
      version: this.#version,
      ...(failure !== undefined && { failure }),
      ...(refusal !== undefined && { refusal }),
      ports: this.#facts.ports,
      policy,
      createdAt: this.#createdAt,
      updatedAt: this.#updatedAt,
    };
  }

  /** @param name of the port; left out: the first. @throws ScalerError `SCALER_BAD_ARGUMENT` for a port that is not there */
  targets(name: string | undefined): readonly Target[] {
    const { ports, address } = this.#facts;
    const port = name === undefined ? ports[0] : ports.find((each) => each.name === name);
    if (port === undefined && name !== undefined)
      throw toNoPortError(
        this.ref,
        name,
        ports.map((each) => each.name),
      );
    if (port === undefined || address === undefined || !this.#takesRequests()) return [];
    const probe = this.#facts.probeOf(port.number);
    const id = `${this.#runId()}@${address}`;
    return [{ id, host: address, port: port.number, ready: true, ...(probe !== undefined && { probe }) }];
  }

  #judge(): 0 | 1 {
    const { presence } = this.#facts;
    if (this.#wish !== undefined) {
      const judged = judgeWish(this.#wish, this.#facts, this.#context.clock.monotonic());
      // A run from before the stop fulfils no start.
      if (judged.isFulfilled && (this.#wish.count === 0 || !this.#isDoomed())) this.#wish = undefined;
      if (this.#facts.isSettled) this.#startFailure = undefined;
      return judged.desired;
    }
    if (presence === "stopped" && this.#startFailure === undefined) return 0;
    if (presence !== "up") return this.#desired;
    if (this.#facts.isSettled) this.#startFailure = undefined;
    return 1;
  }

  /** Once the group has been seen without a run, whatever runs later was started after the stop. */
  #seeEndOfDoom(desired: 0 | 1): void {
    const doom = this.#doom;
    if (doom === undefined) return;
    const { presence, isMoving } = this.#facts;
    const isEnded = presence === "stopped" || presence === "ended" || (isMoving && desired === 1);
    const isNew = doom.doubtfulUntil === undefined && !this.#isDoomed();
    const isOver = doom.doubtfulUntil !== undefined && this.#readAt >= doom.doubtfulUntil;
    if (isEnded || isNew || isOver || (this.#wish?.count === 1 && this.#wish.isDone === true)) this.#doom = undefined;
  }

  #isDoomed(): boolean {
    return isDoomed(this.#doom, this.#mainRun(), this.#context.clock);
  }

  #takesRequests(): boolean {
    return this.#desired === 1 && this.#isReachable() && !this.#isDoomed();
  }

  /** Provisioned, running, with an address, and with the container behind the main port running as far as that is told. */
  #isReachable(): boolean {
    const { isSettled, address, runsAt } = this.#facts;
    const main = this.#mainPort();
    return isSettled && address !== undefined && main !== undefined && runsAt(main) !== false;
  }

  /** While a stop is carried out what still runs counts: asleep means gone. */
  #ready(): boolean {
    if (this.#desired === 0) return this.#facts.presence === "up" || this.#facts.presence === "unknown";
    return this.#takesRequests();
  }

  #failure(): ResourceFailure | undefined {
    if (this.#unreadable !== undefined) return this.#unreadable;
    if (this.#startFailure !== undefined) return this.#startFailure;
    if (this.#desired === 0 || this.#isReachable()) return undefined;
    // Until a start shows, the group may still tell of the end before it.
    const isOld = this.#wish?.count === 1 && this.#wish.isDone !== true && this.#facts.presence !== "up";
    return isOld || this.#facts.isMoving ? undefined : this.#facts.failure;
  }

  #mainPort(): number | undefined {
    const { ports } = this.#facts;
    const { port } = this.#policy.policy;
    return (ports.find(({ name }) => name === port) ?? ports[0])?.number;
  }

  #mainRun(): string | undefined {
    const main = this.#mainPort();
    return main === undefined ? undefined : this.#facts.runOf(main);
  }

  /** One for all ports, since the group has one address. */
  #runId(): string {
    return this.#mainRun() ?? this.#run;
  }

  #presentRuns(): ReadonlySet<string> {
    const earlier = this.#doom?.runs ?? new Set<string>();
    const run = this.#mainRun();
    return new Set(run === undefined ? earlier : [...earlier, run].slice(-mostRuns));
  }

  #move(desired: 0 | 1): void {
    this.#desired = desired;
    this.#version = this.#context.nextVersion();
    this.#changedAt = this.#context.clock.monotonic();
    this.#updatedAt = Math.max(this.#context.clock.now(), this.#updatedAt);
  }
}

/** Runs that are remembered for stops that were accepted one after the other. */
const mostRuns = 10;

/** One answer about one group that is ours. */
export interface Reading {
  readonly facts: GroupFacts;
  readonly policy: GroupPolicy;
  /** Monotonic ms. */
  readonly begunAt: Milliseconds;
  /** Moment at which it began. */
  readonly order: number;
}

/** Whether a group's tags in a list differ from those that were read last. */
export function hasOtherTags(group: Group, tags: GroupFacts["tags"]): boolean {
  return !isDeepStrictEqual(group.tags, tags);
}
