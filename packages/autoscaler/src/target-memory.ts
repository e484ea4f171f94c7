import type { Milliseconds } from "@dormouse/core";
import { type NextTry, nextTry } from "./mend-backoff.ts";
import { recordScale, type TargetHistory } from "./target-history.ts";

/** What one process remembers of all resources that are scaled to a target, by their keys; nothing once it does not lead. */
export class TargetMemory {
  readonly #histories = new Map<string, TargetHistory>();
  readonly #retries = new Map<string, NextTry>();

  history(key: string): TargetHistory | undefined {
    return this.#histories.get(key);
  }

  /** Time until the next attempt after one that came to nothing; undefined: none is waited for. */
  retryInMs(key: string, now: Milliseconds): Milliseconds | undefined {
    const retry = this.#retries.get(key);
    return retry === undefined || retry.at <= now ? undefined : retry.at - now;
  }

  /** After a decision; undefined: there is nothing to remember any more. */
  remember(key: string, history: TargetHistory | undefined): void {
    if (history === undefined) this.forget(key);
    else this.#histories.set(key, history);
  }

  /** A change of the count was accepted. */
  scaled(key: string, to: number, now: Milliseconds): void {
    this.#retries.delete(key);
    const history = this.#histories.get(key);
    if (history !== undefined) this.#histories.set(key, recordScale(history, to, now));
  }

  /** A change of the count came to nothing, or nobody knows: the next one waits, longer each time. */
  failed(key: string, now: Milliseconds): void {
    this.#retries.set(key, nextTry(this.#retries.get(key), now));
  }

  forget(key: string): void {
    this.#histories.delete(key);
    this.#retries.delete(key);
  }

  /** Forgets every resource that is not among these. */
  keepOnly(isKnown: (key: string) => boolean): void {
    for (const key of this.#histories.keys()) if (!isKnown(key)) this.forget(key);
  }

  /** This process does not lead. */
  clear(): void {
    this.#histories.clear();
    this.#retries.clear();
  }
}
