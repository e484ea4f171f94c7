import type { Clock, Logger, Milliseconds } from "@dormouse/core";

export interface RunOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Time from one tick's start to the next; asked for anew after each tick. */
  readonly everyMs: () => Milliseconds;
  readonly tick: () => Promise<void>;
  /** Ends the loop. */
  readonly signal: AbortSignal;
  /** Ends the present pause; another one for each pause. */
  readonly nextPause: () => AbortSignal;
}

/** One tick after the other until aborted. A tick that takes longer than its time is followed by the next at once; one that fails is logged. */
export async function runAutoscaler({ clock, logger, everyMs, tick, signal, nextPause }: RunOptions): Promise<void> {
  while (!signal.aborted) {
    const startedAt = clock.monotonic();
    try {
      await tick();
    } catch (error) {
      if (!signal.aborted) logger.error({ error }, "a tick failed");
    }
    const leftMs = Math.max(0, everyMs() - (clock.monotonic() - startedAt));
    if (!signal.aborted) await clock.sleep(leftMs, nextPause()).catch(() => {});
  }
}
