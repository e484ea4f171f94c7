import {
  type Clock,
  formatRef,
  type GuardedScaler,
  isScalerError,
  type EventJournal,
  type Logger,
  type Milliseconds,
  type ResourceRef,
} from "@dormouse/core";

/** How often to look whether the last requests have ended. */
const lookEveryMs: Milliseconds = 100;

/** A resource that the configuration lists no more. */
export interface RetiredResource {
  readonly ref: ResourceRef;
  /** How long its last requests may take. */
  readonly drainTimeoutMs: Milliseconds;
}

export interface RetirementsOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly journal: EventJournal;
  /** Requests that are held or in flight. @param key printed ref */
  readonly requests: (key: string) => number;
  /** Whether the configuration lists it again by now. @param key printed ref */
  readonly isListed: (key: string) => boolean;
}

/** Ends, in the background, what a change of the configuration has taken out, once its last requests have ended. */
export class Retirements {
  readonly #options: RetirementsOptions;
  readonly #running = new Set<Promise<void>>();
  readonly #abort = new AbortController();

  constructor(options: RetirementsOptions) {
    this.#options = options;
  }

  /** Scales resources to zero that are gone from a scaler's options, each when it is quiet. */
  retireResources(scaler: GuardedScaler, resources: readonly RetiredResource[]): void {
    for (const resource of resources) this.#track(this.#retireResource(scaler, resource));
  }

  /**
   * Closes a scaler that is gone from the configuration, or whose place another instance has taken, once its resources are quiet.
   * @param listed those that the configuration listed itself: they are scaled to zero, others are left to their platform
   * @param keys of all its resources
   */
  retireScaler(
    scaler: GuardedScaler,
    listed: readonly RetiredResource[],
    keys: readonly string[],
    drainTimeoutMs: Milliseconds,
  ): void {
    this.#track(this.#retireScaler(scaler, listed, keys, drainTimeoutMs));
  }

  /** Waits for no more requests, and resolves once everything has ended. */
  async end(): Promise<void> {
    this.#abort.abort();
    await Promise.allSettled(this.#running);
  }

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
  }

  async #retireScaler(
    scaler: GuardedScaler,
    listed: readonly RetiredResource[],
    keys: readonly string[],
    drainTimeoutMs: Milliseconds,
  ): Promise<void> {
    await Promise.all([
      ...listed.map((resource) => this.#retireResource(scaler, resource)),
      ...keys.map((key) => this.#untilQuiet(key, drainTimeoutMs)),
    ]);
    try {
      await scaler[Symbol.asyncDispose]();
    } catch (error) {
      this.#options.logger.warn({ error, scaler: scaler.id }, "could not close a scaler that is configured no more");
    }
  }

  async #retireResource(scaler: GuardedScaler, { ref, drainTimeoutMs }: RetiredResource): Promise<void> {
    const key = formatRef(ref);
    const isQuiet = await this.#untilQuiet(key, drainTimeoutMs);
    if (this.#options.isListed(key)) return;
    try {
      const found = await scaler.getResource(ref);
      if (found === undefined || found.desired === 0) return;
      await scaler.setScale(ref, 0);
      this.#record(
        key,
        isQuiet ? "removed from the configuration" : "removed from the configuration; its last requests took too long",
        found.desired,
      );
    } catch (error) {
      if (isScalerError(error) && (error.code === "SCALER_NOT_FOUND" || error.code === "SCALER_DISPOSED")) return;
      this.#options.logger.warn({ error, resource: key }, "could not stop what is configured no more");
    }
  }

  #record(resource: string, reason: string, from: number): void {
    this.#options.journal.record({
      kind: "sleep",
      resource,
      by: "configuration",
      reason,
      outcome: "done",
      from,
      to: 0,
    });
  }

  /** Whether it became quiet in time. */
  async #untilQuiet(key: string, limitMs: Milliseconds): Promise<boolean> {
    const { clock, requests, isListed } = this.#options;
    const until = clock.monotonic() + limitMs;
    while (requests(key) > 0 && !isListed(key)) {
      const leftMs = until - clock.monotonic();
      if (leftMs <= 0 || this.#abort.signal.aborted) return false;
      await clock.sleep(Math.min(lookEveryMs, leftMs), this.#abort.signal).catch(() => {});
    }
    return true;
  }
}
