import type { Clock, Logger, Milliseconds, Timer } from "@dormouse/core";

const windowMs: Milliseconds = 1_000;
const mostLines = 100;

/** Writes what a remote says of itself to the host's log: 100 lines a second, and how many more there were. */
export class BoundedLog implements Disposable {
  readonly #logger: Logger;
  readonly #clock: Clock;
  #written = 0;
  #dropped = 0;
  #window: Timer | undefined;

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger;
    this.#clock = clock;
  }

  /** A warning. @param line what is written with it, of bounded length */
  warn(line: string, message: string): void {
    this.#window ??= this.#clock.setTimer(windowMs, () => this.#endWindow(), { unref: true });
    if (this.#written >= mostLines) {
      this.#dropped += 1;
      return;
    }
    this.#written += 1;
    this.#logger.warn({ line }, message);
  }

  [Symbol.dispose](): void {
    this.#window?.cancel();
    this.#endWindow();
  }

  #endWindow(): void {
    this.#window = undefined;
    this.#written = 0;
    const dropped = this.#dropped;
    this.#dropped = 0;
    if (dropped > 0) this.#logger.warn({ dropped }, "the remote wrote more lines than are logged");
  }
}
