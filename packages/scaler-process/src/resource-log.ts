import type { Clock, Logger, Milliseconds, Timer } from "@dormouse/core";

/** What is written of a resource's output. */
export interface LogBounds {
  readonly show: boolean;
  /** Bytes of one line. */
  readonly lineBytes: number;
  /** Lines of all its processes together. */
  readonly linesPerSecond: number;
}

export type OutputStream = "stdout" | "stderr";

const windowMs: Milliseconds = 1_000;

/** Writes what the processes of one resource print to the host's log: stdout as info, stderr as warnings, both bounded. */
export class ResourceLog implements Disposable {
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #bounds: () => LogBounds;
  #written = 0;
  #dropped = 0;
  #windowEnd: Timer | undefined;

  constructor(logger: Logger, clock: Clock, bounds: () => LogBounds) {
    this.#logger = logger;
    this.#clock = clock;
    this.#bounds = bounds;
  }

  /** @param label what stands before the line, for example `hello` or `hello.2` */
  write(stream: OutputStream, label: string, line: Buffer, wasCut: boolean): void {
    const bounds = this.#bounds();
    if (!bounds.show) return;
    this.#windowEnd ??= this.#clock.setTimer(windowMs, () => this.#endWindow(), { unref: true });
    if (this.#written >= bounds.linesPerSecond) {
      this.#dropped += 1;
      return;
    }
    this.#written += 1;
    const text = `[${label}] ${line.toString("utf8")}${wasCut ? " … (line cut)" : ""}`;
    if (stream === "stdout") this.#logger.info({ stream }, text);
    else this.#logger.warn({ stream }, text);
  }

  [Symbol.dispose](): void {
    this.#windowEnd?.cancel();
    this.#endWindow();
  }

  #endWindow(): void {
    this.#windowEnd = undefined;
    this.#written = 0;
    const dropped = this.#dropped;
    this.#dropped = 0;
    if (dropped > 0) this.#logger.warn({ dropped }, "dropped lines of output that came too fast");
  }
}
