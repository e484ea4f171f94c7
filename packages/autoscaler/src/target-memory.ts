import type { Milliseconds } from "@dormouse/core";
import { type NextTry, nextTry } from "./mend-backoff.ts";
import { recordScale, type TargetHistory } from "./target-history.ts";

/** What one process remembers of one resource that is scaled to a target; nothing once it does not lead. */
export class TargetMemory {
  #history: TargetHistory | undefined;
  #retry: NextTry | undefined;

  /** As the last decision left it. */
  get history(): TargetHistory | undefined {
    return this.#history;
  }

  /** Time until the next attempt after one that came to nothing; undefined: none is waited for. */
  retryInMs(now: Milliseconds): Milliseconds | undefined {
    return this.#retry === undefined || this.#retry.at <= now ? undefined : this.#retry.at - now;
  }

  /** After a decision; undefined: there is nothing to remember any more. */
  remember(history: TargetHistory | undefined): void {
    this.#history = history;
    if (history === undefined) this.#retry = undefined;
  }

  /** A change of the count was accepted. */
  scaled(to: number, now: Milliseconds): void {
    this.#retry = undefined;
    this.#history = this.#history && recordScale(this.#history, to, now);
  }

  /** A change of the count came to nothing, or nobody knows: the next one waits, longer each time. */
  failed(now: Milliseconds): void {
    this.#retry = nextTry(this.#retry, now);
  }
}
