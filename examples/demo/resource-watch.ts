import { systemClock } from "@dormouse/core";
import type { DormouseHost } from "./dormouse-host.ts";

/** Time between two looks, in ms; times asleep are exact to this. */
const lookEveryMs = 100;

/** Looks at the resources of a host all the time. */
export class ResourceWatch {
  readonly #host: DormouseHost;
  readonly #asleepMs = new Map<string, number>();
  #states: ReadonlyMap<string, string> = new Map();
  #lookedAt = systemClock.monotonic();
  #watchedMs = 0;

  constructor(host: DormouseHost) {
    this.#host = host;
  }

  stateOf(name: string): string {
    return this.#states.get(name) ?? "unknown";
  }

  /** Share of the watched time that the resource was asleep, 0 to 1. */
  shareAsleep(name: string): number {
    return this.#watchedMs === 0 ? 0 : (this.#asleepMs.get(name) ?? 0) / this.#watchedMs;
  }

  /** Looks until aborted, then resolves; `onLook` after each look. */
  async run(signal: AbortSignal, onLook: () => void): Promise<void> {
    this.#lookedAt = systemClock.monotonic();
    while (!signal.aborted) {
      await this.#look(signal).catch((error: unknown) => {
        if (!signal.aborted) throw error;
      });
      onLook();
      await systemClock.sleep(lookEveryMs, signal).catch(() => undefined);
    }
  }

  /** Resolves once the resource is in this state; rejects after `withinMs`. */
  async until(name: string, state: string, withinMs: number, signal: AbortSignal): Promise<void> {
    const deadline = systemClock.monotonic() + withinMs;
    while (this.stateOf(name) !== state) {
      if (systemClock.monotonic() > deadline) {
        throw new Error(`${name} is ${this.stateOf(name)}, not ${state}, after ${withinMs} ms`);
      }
      await systemClock.sleep(lookEveryMs / 2, signal);
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    this.#states = await this.#host.states(signal);
    const now = systemClock.monotonic();
    const tookMs = now - this.#lookedAt;
    this.#lookedAt = now;
    this.#watchedMs += tookMs;
    for (const [name, state] of this.#states) {
      if (state === "asleep") this.#asleepMs.set(name, (this.#asleepMs.get(name) ?? 0) + tookMs);
    }
  }
}
