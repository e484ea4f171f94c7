import type { Milliseconds } from "@dormouse/core";

/** Where nothing has been measured yet, as in a run of a single rule. */
const unmeasuredMs = 1_000;

/**
 * How long this platform takes to start and to stop an instance, as seen so far in a run. Rules by which something must
 * not happen watch for twice that long: no time that is written down would fit a local process and a cloud.
 */
export class Pace {
  #startMs: Milliseconds | undefined;
  #stopMs: Milliseconds | undefined;

  sawStart(ms: Milliseconds): void {
    this.#startMs = Math.max(this.#startMs ?? 0, ms);
  }

  sawStop(ms: Milliseconds): void {
    this.#stopMs = Math.max(this.#stopMs ?? 0, ms);
  }

  /** Long enough for a start to show, or to have failed to. */
  get startWindowMs(): Milliseconds {
    return 2 * (this.#startMs ?? unmeasuredMs);
  }

  /** Long enough for a stop to show. */
  get stopWindowMs(): Milliseconds {
    return 2 * (this.#stopMs ?? unmeasuredMs);
  }
}
