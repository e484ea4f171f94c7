import type { Clock } from "@dormouse/core";
import type { ConfigReport } from "../admin/resource-report.ts";
import type { RefusedConfig } from "../config/refused-config.ts";

/** What has become of the configuration file: the one in force, and the one that was refused. */
export class ConfigStatus {
  readonly #clock: Clock;
  readonly #file: string;
  #loadedAt: number;
  #refused: ConfigReport["refused"];
  #needsRestart: readonly string[] = [];

  constructor(clock: Clock, file: string) {
    this.#clock = clock;
    this.#file = file;
    this.#loadedAt = clock.now();
  }

  get isRefused(): boolean {
    return this.#refused !== undefined;
  }

  /** @param needsRestart keys whose new values count from the next start on */
  applied(needsRestart: readonly string[]): void {
    this.#loadedAt = this.#clock.now();
    this.#refused = undefined;
    this.#needsRestart = needsRestart;
  }

  refused(reason: RefusedConfig | Error): void {
    this.#refused = { at: this.#clock.now(), problems: reason.message.split("\n") };
  }

  /** The file is back to what is in force. */
  restored(): void {
    this.#refused = undefined;
  }

  report(): ConfigReport {
    return {
      file: this.#file,
      loadedAt: this.#loadedAt,
      ...(this.#refused !== undefined && { refused: this.#refused }),
      ...(this.#needsRestart.length > 0 && { needsRestart: this.#needsRestart }),
    };
  }
}
