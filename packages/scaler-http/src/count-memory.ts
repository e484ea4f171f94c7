import { randomUUID } from "node:crypto";
import type { Clock } from "@dormouse/core";

/** What the present moment of a resource is known by. */
export interface Learnt {
  readonly count: number;
  /** The API's own version, where it has one. */
  readonly version: string | undefined;
  /** The count of before the sleep, where the API keeps it. */
  readonly wakeReplicas: number | undefined;
}

/**
 * What one process remembers of a resource's count. An API that has no versions gets one here: it moves with every write of
 * this process, with every write whose outcome is not known, and with every count that a reading shows and nobody here has
 * asked for. It begins with an id that no other process has, so that none ever comes back.
 *
 * Readings overlap with writes and with each other, and what they show may be older than what is known. Each takes a number
 * when it begins: one that contradicts what was learnt since is doubtful, and is made again.
 */
export class CountMemory {
  readonly #clock: Clock;
  readonly #id = randomUUID();
  #moves = 0;
  #steps = 0;
  #learntAt = 0;
  #count: number | undefined;
  #version: string | undefined;
  #wakeReplicas: number | undefined;
  #updatedAt: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#updatedAt = clock.now();
  }

  /** The count that was learnt last; undefined: none was. */
  get count(): number | undefined {
    return this.#count;
  }

  /** The last count of 1 or more; undefined: none was seen. */
  get wakeReplicas(): number | undefined {
    return this.#wakeReplicas;
  }

  get version(): string {
    return this.#version ?? `${this.#id}.${String(this.#moves)}`;
  }

  /** Epoch ms at which the version last moved, as this process saw it. */
  get updatedAt(): number {
    return this.#updatedAt;
  }

  /** A reading begins. @returns its number */
  begin(): number {
    this.#steps += 1;
    return this.#steps;
  }

  /** Whether a reading may be older than what is known. */
  isDoubtful(begun: number, count: number): boolean {
    return this.#learntAt > begun && this.#count !== undefined && count !== this.#count;
  }

  /** Takes in a reading. @returns whether the count is smaller than what was known, so that somebody else has lowered it */
  saw(learnt: Learnt): boolean {
    const { count, version } = learnt;
    const isLowered = this.#count !== undefined && count < this.#count;
    const isMoved =
      version === undefined ? this.#count !== undefined && count !== this.#count : version !== this.#version;
    if (isMoved && (version === undefined || this.#version !== undefined)) this.#move();
    this.#learn(learnt);
    return isLowered;
  }

  /** Takes in an accepted write of this process. @returns the version that it produced */
  wrote(learnt: Learnt): string {
    this.#move();
    this.#learn(learnt);
    return this.version;
  }

  /** A write was sent, and may be accepted or not. */
  mayHaveWritten(): void {
    this.#move();
  }

  #move(): void {
    this.#moves += 1;
    this.#updatedAt = Math.max(this.#updatedAt, this.#clock.now());
  }

  #learn({ count, version, wakeReplicas }: Learnt): void {
    this.#steps += 1;
    this.#learntAt = this.#steps;
    this.#count = count;
    this.#version = version;
    if (count >= 1) this.#wakeReplicas = count;
    else if (wakeReplicas !== undefined) this.#wakeReplicas = wakeReplicas;
  }
}
