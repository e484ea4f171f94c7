import type { LoadCurve } from "./load-curve.ts";
import { randomAt } from "./random-at.ts";

/** How the simulated application behaves; times in simulated ms. */
export interface ScaleItModelOptions {
  readonly seed: number;
  readonly load: LoadCurve;
  /** Replicas at the start; left out: 10. */
  readonly replicas?: number;
  /** How long a new replica takes until it works, half as long at least and one and a half times at most; left out: 2,000. */
  readonly startMs?: number;
  /** Time constant with which the reported CPU follows the real one; left out: 3,000. */
  readonly lagMs?: number;
  /** Standard deviation of the noise on the reported CPU; left out: 0.02. */
  readonly noise?: number;
}

/** The application at one moment. */
export interface ScaleItSample {
  /** Simulated ms since the start. */
  readonly atMs: number;
  /** Replicas that the load would keep wholly busy. */
  readonly load: number;
  /** Replicas that were asked for. */
  readonly replicas: number;
  /** Replicas that work already. */
  readonly running: number;
  /** As reported, 0 to 1. */
  readonly cpu: number;
}

/** The most replicas that can be asked for. */
export const mostReplicas = 1_000;

const stepMs = 250;
const noiseEveryMs = 1_000;

/**
 * An application of replicas that share a load. It knows no clock: `advanceTo` says how late it is, and what it reports then
 * depends on the seed and on when how many replicas were asked for, never on how often anybody looked.
 */
export class ScaleItModel {
  readonly #options: Required<ScaleItModelOptions>;
  /** When each replica works, the earliest first; as many as were asked for. */
  #readyAt: readonly number[];
  #atMs = 0;
  #started = 0;
  /** What the reported value follows the real one by. */
  #lagged: number;

  constructor(options: ScaleItModelOptions) {
    this.#options = { replicas: 10, startMs: 2_000, lagMs: 3_000, noise: 0.02, ...options };
    this.#readyAt = Array.from({ length: this.#options.replicas }, () => 0);
    this.#lagged = this.#usage();
  }

  /** Lets simulated time pass; a moment that is past already changes nothing. */
  advanceTo(atMs: number): void {
    const { lagMs } = this.#options;
    const share = 1 - Math.exp(-stepMs / lagMs);
    while (this.#atMs + stepMs <= atMs) {
      this.#atMs += stepMs;
      this.#lagged += (this.#usage() - this.#lagged) * share;
    }
  }

  /** Asks for so many replicas: 1 to 1,000. Superfluous ones end at once, the youngest first; new ones need their time. */
  setReplicas(replicas: number): void {
    const { seed, startMs } = this.#options;
    const kept = this.#readyAt.slice(0, replicas);
    const added = Array.from({ length: replicas - kept.length }, () => {
      this.#started += 1;
      return this.#atMs + startMs * (0.5 + randomAt(seed, "start", this.#started));
    });
    this.#readyAt = [...kept, ...added].toSorted((one, other) => one - other);
  }

  /** The application now. */
  sample(): ScaleItSample {
    const { load } = this.#options;
    const cpu = Math.min(1, Math.max(0, this.#lagged + this.#noise()));
    return {
      atMs: this.#atMs,
      load: load(this.#atMs),
      replicas: this.#readyAt.length,
      running: this.#running(),
      cpu: Math.round(cpu * 10_000) / 10_000,
    };
  }

  /** The real share of the running replicas' time that is used. */
  #usage(): number {
    return Math.min(1, this.#options.load(this.#atMs) / this.#running());
  }

  /** At least one: the oldest never ends. */
  #running(): number {
    return Math.max(1, this.#readyAt.filter((at) => at <= this.#atMs).length);
  }

  /** Normally distributed, by Box and Muller. */
  #noise(): number {
    const { seed, noise } = this.#options;
    const index = Math.floor(this.#atMs / noiseEveryMs);
    const radius = Math.sqrt(-2 * Math.log(1 - randomAt(seed, "noise radius", index)));
    return noise * radius * Math.cos(2 * Math.PI * randomAt(seed, "noise angle", index));
  }
}
