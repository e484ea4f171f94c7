import type { Clock, Milliseconds } from "@dormouse/core";
import type { Pace } from "./pace.ts";
import { show, Unmet } from "./unmet.ts";

/** Steps between two looks: small enough for a local process, and soon as large as a cloud's rate limits ask for. */
const firstPauseMs = 5;
const longestPauseMs = 500;

export interface PatienceOptions {
  readonly clock: Clock;
  /** Limit of every wait. */
  readonly withinMs: Milliseconds;
  readonly pace: Pace;
  /** What the scaler declares. */
  readonly settleWithinMs: Milliseconds;
}

/** Waits for facts, and watches that something does not happen. */
export class Patience {
  readonly #options: PatienceOptions;

  constructor(options: PatienceOptions) {
    this.#options = options;
  }

  /** Looks again and again, in growing steps, until it holds. @returns what was seen last */
  async until<Seen>(
    what: string,
    look: () => Promise<Seen>,
    holds: (seen: Seen) => boolean,
    withinMs = this.#options.withinMs,
  ): Promise<Seen> {
    const { clock } = this.#options;
    const endsAt = clock.monotonic() + withinMs;
    for (let pauseMs = firstPauseMs; ; pauseMs = grown(pauseMs)) {
      const seen = await look();
      if (holds(seen)) return seen;
      if (clock.monotonic() >= endsAt) throw new Unmet(`${what} within ${withinMs} ms`, `${show(seen)} at last`);
      await clock.sleep(pauseMs);
    }
  }

  /**
   * Looks again and again as long as a stop or a start still has effects, by what this platform has been seen to take
   * and by the scaler's own word.
   */
  async whileSettling(look: () => Promise<void>, what: "stop" | "start"): Promise<void> {
    const { clock, pace, settleWithinMs, withinMs } = this.#options;
    const paceMs = what === "stop" ? pace.stopWindowMs : pace.startWindowMs;
    const endsAt = clock.monotonic() + Math.min(withinMs, Math.max(paceMs, settleWithinMs));
    for (let pauseMs = firstPauseMs; ; pauseMs = grown(pauseMs)) {
      await look();
      const leftMs = endsAt - clock.monotonic();
      if (leftMs <= 0) return;
      await clock.sleep(Math.min(pauseMs, leftMs));
    }
  }
}

function grown(pauseMs: Milliseconds): Milliseconds {
  return Math.min(pauseMs * 1.5, longestPauseMs);
}
