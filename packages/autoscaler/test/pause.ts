import type { ResourceRef } from "@dormouse/core";
import type { SleepStep } from "../src/index.ts";

/** Holds an autoscaler at one step of its next sleep. */
export class Pause {
  /** Resolves once the step is reached. */
  readonly reached: Promise<void>;
  isReached = false;
  readonly #step: SleepStep;
  readonly #reach: () => void;
  readonly #held: Promise<void>;
  /** Lets it go on. */
  readonly resume: () => void;

  constructor(step: SleepStep) {
    this.#step = step;
    const reached = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    this.reached = reached.promise;
    this.#reach = reached.resolve;
    this.#held = held.promise;
    this.resume = held.resolve;
  }

  /** To be given as `at`. */
  readonly at = async (step: SleepStep, _ref: ResourceRef): Promise<void> => {
    if (step !== this.#step || this.isReached) return;
    this.isReached = true;
    this.#reach();
    await this.#held;
  };
}
