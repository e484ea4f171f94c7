import { randomUUID } from "node:crypto";
import type { Clock, Milliseconds, Target } from "@dormouse/core";
import { parseAddress } from "./address.ts";
import type { TargetMemory } from "./target-memory.ts";

/** Addresses that are listed of one resource. */
const mostListed = 1_000;

interface Run {
  /** Number of the runs that ended here before. */
  readonly number: number;
  /** Monotonic ms at which the one before was stopped. */
  readonly since: Milliseconds;
}

/**
 * Addresses that stand in the configuration, the first for the first replica: with n replicas the first n take requests, and
 * fewer replicas end the last ones. An address that was stopped is listed again only once `stopGrace` has passed, since
 * nothing tells the old instance there from the new one.
 */
export class OrderedTargets implements TargetMemory {
  readonly #addressOf: (index: number) => string | undefined;
  readonly #clock: Clock;
  readonly #stopGraceMs: Milliseconds;
  readonly #id = randomUUID();
  readonly #runs = new Map<number, Run>();

  constructor(addressOf: (index: number) => string | undefined, clock: Clock, stopGraceMs: Milliseconds) {
    this.#addressOf = addressOf;
    this.#clock = clock;
    this.#stopGraceMs = stopGraceMs;
  }

  get needsReading(): boolean {
    return false;
  }

  lowered(keep: number): void {
    const since = this.#clock.monotonic();
    for (let index = keep; index < mostListed && this.#addressOf(index) !== undefined; index += 1)
      this.#runs.set(index, { number: (this.#runs.get(index)?.number ?? 0) + 1, since });
  }

  saw(): void {
    // The count alone decides.
  }

  list(desired: number): readonly Target[] {
    const targets: Target[] = [];
    for (let index = 0; index < Math.min(desired, mostListed); index += 1) {
      const text = this.#addressOf(index);
      if (text === undefined) break;
      const address = parseAddress(text);
      if (address !== undefined && this.#isFree(index)) targets.push({ id: this.#idOf(index, text), ...address });
    }
    return targets;
  }

  #isFree(index: number): boolean {
    const run = this.#runs.get(index);
    return run === undefined || this.#clock.monotonic() - run.since >= this.#stopGraceMs;
  }

  #idOf(index: number, address: string): string {
    return `${this.#id}/${address}#${String(this.#runs.get(index)?.number ?? 0)}`;
  }
}
