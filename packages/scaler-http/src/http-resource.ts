import {
  callWithDeadline,
  type Clock,
  type LocalRef,
  type Policy,
  type Resource,
  type ResourceFailure,
  type Target,
} from "@dormouse/core";
import PQueue from "p-queue";
import { CountMemory } from "./count-memory.ts";
import { mayHaveHappened, toBelowMinimumError, toCrowdedError, toFailure, toNoTargetsError } from "./http-error.ts";
import { parseAddress } from "./address.ts";
import { callDeadlineMs, type ResourceApi } from "./resource-api.ts";
import type { StatusReading } from "./status-reading.ts";
import { openTargetMemory, type TargetMemory } from "./target-memory.ts";

/** Writes that wait for their turn; the hosts have a few at most. */
const mostWaiting = 100;

/** Readings that are made until one is not older than what is known. */
const mostReadings = 3;

/** The one port of a resource. */
export const portName = "http";

/** What is configured of one resource. */
export interface Configured {
  readonly ref: LocalRef;
  readonly api: ResourceApi;
  readonly policy: Policy;
  /** What a wake asks for where nothing is known. */
  readonly replicas: number;
}

/** One resource: the requests to its API, one write after the other, and what has to be remembered between them. */
export class HttpResource {
  readonly ref: LocalRef;
  readonly #clock: Clock;
  readonly #createdAt: number;
  readonly #memory: CountMemory;
  readonly #writes = new PQueue({ concurrency: 1 });
  #targets: TargetMemory | undefined;
  #configured: Configured;
  /** Step of the memory at which a stop was last known to be accepted. */
  #loweredAt = 0;

  constructor(configured: Configured, clock: Clock) {
    this.ref = configured.ref;
    this.#configured = configured;
    this.#clock = clock;
    this.#createdAt = clock.now();
    this.#memory = new CountMemory(clock);
    this.#targets = this.#openTargets(configured);
  }

  /** Takes another configuration; what is remembered of counts stays. */
  configure(configured: Configured): void {
    const before = this.#configured.api.api.targetsKey;
    this.#configured = configured;
    if (before !== configured.api.api.targetsKey) this.#targets = this.#openTargets(configured);
  }

  /** The count that was learnt last; undefined: none was. */
  get lastCount(): number | undefined {
    return this.#memory.count;
  }

  /** Reads the resource. Rejects with the API's failure; `SCALER_NOT_FOUND`: it is gone. */
  async read(signal: AbortSignal | undefined): Promise<Resource> {
    const { desired, ready, failure } = await this.#readStatus(signal);
    return this.#toResource(desired, ready, failure);
  }

  /** The resource as far as it is known while its status cannot be had: nothing of it counts as ready. */
  whileUnknown(error: unknown): Resource {
    return this.#toResource(this.#memory.count ?? this.#configured.replicas, 0, toFailure(error));
  }

  /**
   * Asks for a count. Writes go one after the other: without a version of the API's own nothing else tells which of two
   * stands. @throws ScalerError `SCALER_UNSUPPORTED` below the API's minimum
   */
  async setScale(replicas: number, ifVersion: string | undefined, signal: AbortSignal | undefined): Promise<string> {
    const { minimum } = this.#configured.api.api;
    if (replicas < minimum) throw toBelowMinimumError(this.ref, replicas, minimum);
    if (this.#writes.size >= mostWaiting) throw toCrowdedError(this.ref);
    const deadline = { clock: this.#clock, afterMs: callDeadlineMs, signal, what: `setScale of ${this.ref.name}` };
    return callWithDeadline(deadline, (ending) => this.#writes.add(() => this.#write(replicas, ifVersion, ending)));
  }

  /** Where instances take requests now. Rejects with `SCALER_UNSUPPORTED` where nothing is configured of that: a wake need not wait for it. */
  async targets(signal: AbortSignal | undefined): Promise<readonly Target[]> {
    const targets = this.#targets;
    if (targets === undefined) throw toNoTargetsError(this.ref);
    const { desired } = await this.#readStatus(signal);
    if (targets.needsReading) await this.#readStatus(signal);
    return targets.needsReading ? [] : targets.list(Math.min(desired, this.#memory.count ?? desired));
  }

  async #write(replicas: number, ifVersion: string | undefined, signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    if (this.#mustReadBefore(replicas)) await this.#readStatus(signal);
    const before = this.#memory.count;
    const wakeReplicas = replicas >= 1 ? replicas : (this.#memory.wakeReplicas ?? this.#configured.replicas);
    try {
      const version = await this.#configured.api.scale({ replicas, wakeReplicas, ifVersion }, signal);
      if (before === undefined || replicas < before) this.#lowered(replicas);
      return this.#memory.wrote({ count: replicas, version, wakeReplicas: undefined });
    } catch (error) {
      if (mayHaveHappened(error)) this.#memory.mayHaveWritten();
      throw error;
    }
  }

  /** Whom a stop ends can be told only before others are started beside them; and a stop must not overwrite what the API keeps. */
  #mustReadBefore(replicas: number): boolean {
    if (replicas > 0) return this.#targets?.needsReading === true;
    return this.#configured.api.api.status.wakeReplicas !== undefined && this.#memory.count === undefined;
  }

  #lowered(keep: number): void {
    this.#loweredAt = this.#memory.begin();
    this.#targets?.lowered(keep);
  }

  async #readStatus(signal: AbortSignal | undefined): Promise<StatusReading> {
    for (let attempt = 1; ; attempt += 1) {
      const begun = this.#memory.begin();
      const reading = await this.#configured.api.readStatus(signal);
      if (attempt < mostReadings && this.#memory.isDoubtful(begun, reading.desired)) continue;
      const { desired: count, version, wakeReplicas } = reading;
      // Somebody else has lowered it: this very reading shows who was there.
      if (this.#memory.saw({ count, version, wakeReplicas })) this.#targets?.lowered(count);
      if (begun > this.#loweredAt) this.#targets?.saw(reading);
      return reading;
    }
  }

  #toResource(desired: number, ready: number, failure: ResourceFailure | undefined): Resource {
    const { policy, replicas, api } = this.#configured;
    return {
      ref: this.ref,
      desired,
      ready,
      wakeReplicas: this.#memory.wakeReplicas ?? replicas,
      version: this.#memory.version,
      ...(failure !== undefined && { failure }),
      ports: [{ name: portName, number: portOf(api), protocol: "http" }],
      policy,
      createdAt: this.#createdAt,
      updatedAt: this.#memory.updatedAt,
    };
  }

  #openTargets({ api }: Configured): TargetMemory | undefined {
    return openTargetMemory(api.api.targets, this.#clock, api.api.stopGraceMs);
  }
}

/** Where no address is configured: the API's own port, which nobody is routed to. */
function portOf({ api: { targets, url } }: ResourceApi): number {
  const first = targets?.kind === "ordered" ? targets.addressOf(0) : undefined;
  const known = first === undefined ? undefined : parseAddress(first)?.port;
  const reported = targets?.kind === "reported" ? targets.port : undefined;
  return known ?? reported ?? (Number(url.port) || (url.protocol === "https:" ? 443 : 80));
}
