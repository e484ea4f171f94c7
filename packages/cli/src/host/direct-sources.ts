import { type PluginConfig, seesDirectBy } from "@dormouse/core";

/** Which of the configured metrics sources see traffic that passes no DLX: one answer for the DLX and the autoscaler of a host, also after a change. */
export class DirectSources {
  #metrics: readonly PluginConfig[];
  readonly seesDirect = seesDirectBy(() => this.#metrics);

  constructor(metrics: readonly PluginConfig[]) {
    this.#metrics = metrics;
  }

  /** Takes in what is configured now. */
  reconfigure(metrics: readonly PluginConfig[]): void {
    this.#metrics = metrics;
  }
}
