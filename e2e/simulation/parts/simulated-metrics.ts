import type { MetricsSource, MetricQuery, MetricSample, CallOptions, Milliseconds } from "@dormouse/core";
import { ScalerError } from "@dormouse/core";
import type { FakeClock } from "@dormouse/core/testing";
import type { Network } from "../engine/network.ts";
import type { SimulatedProcess } from "../engine/simulated-process.ts";
import type { Executions } from "./executions.ts";

/** What is wrong with the numbers now. `lies`: it says that nothing is in use, which only idleness elsewhere can bear. */
export type MetricsFault = "stopped" | "missing" | "broken" | "lagging" | "lies";

/** How often targets are scraped. */
const scrapeEveryMs: Milliseconds = 500;

/** How much older they get while they lag: still fresh enough for a rule of the runs' windows. */
const laggingMs: Milliseconds = 900;

/** Requests in execution, whichever way they came, over a window: what a Prometheus would say of a gauge of open requests. */
export class SimulatedMetrics {
  fault: MetricsFault | undefined;
  readonly #clock: FakeClock;
  readonly #executions: Executions;

  constructor(clock: FakeClock, executions: Executions) {
    this.#clock = clock;
    this.#executions = executions;
  }

  /** The source as one process asks it. */
  sourceOf(process: SimulatedProcess, network: Network): MetricsSource {
    return {
      read: (query: MetricQuery, options?: CallOptions) =>
        network.ask({ from: process, text: `metrics ${query.metric}`, kind: "metrics", signal: options?.signal }, () =>
          this.#read(query),
        ),
      [Symbol.asyncDispose]: async () => {},
    };
  }

  #read({ resources, windowMs }: MetricQuery): readonly MetricSample[] {
    if (this.fault === "stopped") throw new ScalerError("SCALER_UNAVAILABLE", "no metrics");
    if (this.fault === "missing") return [];
    const now = this.#clock.monotonic();
    const ageMs = (now % scrapeEveryMs) + (this.fault === "lagging" ? laggingMs : 0);
    const valueOf = (name: string): number => {
      if (this.fault === "broken") return Number.NaN;
      if (this.fault === "lies") return 0;
      return this.#executions.wasBusy(name, now - ageMs - windowMs, now - ageMs) ? 1 : 0;
    };
    return resources.map((ref) => ({ ref, ageMs, value: valueOf(ref.name) }));
  }
}
