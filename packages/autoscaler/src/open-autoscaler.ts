import { type AutoscalerConfig, formatRef, type ResourceRef, type ScaleEvent } from "@dormouse/core";
import type { AutoscalerOptions } from "./autoscaler-context.ts";
import type { DecisionRecord } from "./decision-record.ts";
import type { MetricsSources } from "./read-rules.ts";
import { RunningAutoscaler } from "./running-autoscaler.ts";

/** Whom a sleep is for. */
export interface SleepRequest {
  /** `operator`, or who else asks. */
  readonly by: string;
  /** In words. */
  readonly reason: string;
  /** Ends the sleep before its next step; what the platform has accepted by then stays accepted. */
  readonly signal?: AbortSignal;
}

/** An autoscaler that runs until it is disposed. */
export interface Autoscaler extends AsyncDisposable {
  /**
   * One tick now, or the one that runs: reads, decides, starts what follows from it. Sleeps that it starts may outlast it.
   * Rejects with `SCALER_DISPOSED` after the end.
   */
  tick(): Promise<void>;
  /** The last decision about a resource, by its printed ref; undefined where none was made. */
  lastDecision(key: string): DecisionRecord | undefined;
  /**
   * Puts a resource to sleep now: skips idleness, not safety. Resolves with what came of it: `done`, `refused` before
   * anything was done, `kept` or `failed` after. Rejects with `SCALER_NOT_FOUND` for a resource that nobody knows.
   */
  sleep(ref: ResourceRef, request: SleepRequest): Promise<ScaleEvent>;
  /** Takes new settings into the running loop. Sources that are no longer in use are their opener's to dispose. */
  reconfigure(config: AutoscalerConfig, sources: MetricsSources): void;
}

/** Opens an autoscaler and starts its loop and its campaign for the lead. Disposing ends both and every sleep that runs. */
export async function openAutoscaler(options: AutoscalerOptions): Promise<Autoscaler> {
  const running = new RunningAutoscaler(options);
  running.start();
  return Object.freeze({
    tick: () => running.tick(),
    lastDecision: (key: string) => running.lastDecision(key),
    sleep: (ref: ResourceRef, request: SleepRequest) => running.sleep(formatRef(ref), request),
    reconfigure: (config: AutoscalerConfig, sources: MetricsSources) => running.reconfigure(config, sources),
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  });
}
