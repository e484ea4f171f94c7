import { type Milliseconds, type ResourceRef, ScalerError } from "@dormouse/core";
import type { AutoscalerContext } from "./autoscaler-context.ts";
import { SleepEnd } from "./sleep-end.ts";
import type { SleepStep } from "./sleep-step.ts";

export interface StepRunnerOptions {
  readonly context: AutoscalerContext;
  readonly ref: ResourceRef;
  /** Ends the sleep before its next act. */
  readonly signal: AbortSignal;
  readonly onStep: (step: SleepStep) => void;
}

/** Runs the steps of one sleep: checks before each that it may act, and takes its time. */
export class StepRunner {
  readonly #options: StepRunnerOptions;
  readonly #phases: Partial<Record<SleepStep, Milliseconds>> = {};
  readonly #startedAt: Milliseconds;

  constructor(options: StepRunnerOptions) {
    this.#options = options;
    this.#startedAt = options.context.options.clock.monotonic();
  }

  get signal(): AbortSignal {
    return this.#options.signal;
  }

  /** How long each step took that was begun, in ms. */
  get phases(): Readonly<Partial<Record<SleepStep, Milliseconds>>> {
    return this.#phases;
  }

  get tookMs(): Milliseconds {
    return this.#options.context.options.clock.monotonic() - this.#startedAt;
  }

  /** @throws SleepEnd where this process does not lead any more or the sleep was given up */
  assertMayAct(): void {
    if (this.#options.signal.aborted) throw new SleepEnd("aborted", { cause: this.#options.signal.reason });
    if (!this.#options.context.leads) throw new SleepEnd("not-leader");
  }

  async run<Result>(step: SleepStep, act: () => Promise<Result>): Promise<Result> {
    const { context, onStep } = this.#options;
    const { clock } = context.options;
    this.assertMayAct();
    const startedAt = clock.monotonic();
    onStep(step);
    try {
      await this.#pause(step);
      return await act();
    } finally {
      this.#phases[step] = clock.monotonic() - startedAt;
    }
  }

  /** The hook of tests; it ends with the signal, so that a process that stops need not wait for it. */
  async #pause(step: SleepStep): Promise<void> {
    const { context, ref, signal } = this.#options;
    const { at } = context.options;
    if (at === undefined) return;
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const onAbort = (): void => reject(new ScalerError("SCALER_ABORTED", `stopped at ${step}`));
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      await Promise.race([at(step, ref), aborted]);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }
}
