import {
  backoffMs,
  type CatalogEntry,
  type Clock,
  type EventJournal,
  formatRef,
  isScalerError,
  type Milliseconds,
  type Resource,
  type ResourceCatalog,
  resolveDependency,
  type ResourceRef,
  type ScaleEvent,
  ScalerError,
  type SleepGate,
  toScalerError,
} from "@dormouse/core";
import type { Order } from "../admin/admin-host.ts";

export interface AskedWakesOptions {
  readonly catalog: ResourceCatalog;
  readonly clock: Clock;
  readonly journal: EventJournal;
  /** Shared with the autoscaler of the same process. */
  readonly sleepGate: SleepGate;
}

/** A failure that stood there before the claim is not believed for so long: the platform has to try again first. */
const staleFailureMs: Milliseconds = 5_000;

/** Claims that the platform accepts for one wake: who stops the resource each time does not want it awake. */
const mostClaims = 5;

/**
 * Wakes that an operator asks for where there is no DLX: each claims the resource as a DLX does, which voids every sleep under
 * way, and waits until it is ready. Traffic is restored by whoever reconciles. One for each resource at a time.
 */
export class AskedWakes implements AsyncDisposable {
  readonly #options: AskedWakesOptions;
  readonly #life = new AbortController();
  readonly #running = new Map<string, Promise<ScaleEvent>>();

  constructor(options: AskedWakesOptions) {
    this.#options = options;
  }

  /**
   * Resolves with the event once it is ready; the order's signal ends the waiting, not the wake. Rejects with
   * `SCALER_NOT_FOUND` for a resource that nobody knows, `DLX_WAKE_TIMEOUT` past its `wakeTimeout`, `SCALER_CONFLICT` where
   * somebody stops it again and again, else with what the platform says.
   */
  async wake(ref: ResourceRef, order: Order): Promise<ScaleEvent> {
    const entry = entryOf(ref, this.#options.catalog);
    return orAborted(this.#running.get(entry.key) ?? this.#start(entry, order), order.signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#life.abort(new ScalerError("SCALER_ABORTED", "this host stops; what was asked for goes on"));
    await Promise.allSettled(this.#running.values());
  }

  #start(entry: CatalogEntry, order: Order): Promise<ScaleEvent> {
    const running = this.#run(entry, order).finally(() => this.#running.delete(entry.key));
    this.#running.set(entry.key, running);
    return running;
  }

  async #run(entry: CatalogEntry, { by, reason }: Order): Promise<ScaleEvent> {
    const { catalog, clock, journal } = this.#options;
    const startedAt = clock.monotonic();
    // What the catalogue says may be older than a sleep that has just ended.
    if (isAwake(await this.#read(entry))) return wasAwake(entry, by, clock.now());
    const endOperation = catalog.beginOperation(entry.ref, "wake");
    const record = (result: Pick<ScaleEvent, "outcome"> & Partial<ScaleEvent>): ScaleEvent =>
      journal.record({
        kind: "wake",
        resource: entry.key,
        by,
        reason,
        tookMs: clock.monotonic() - startedAt,
        ...result,
      });
    try {
      return record({ outcome: "done", ...(await this.#wakeWithUsed(entry, [])) });
    } catch (error) {
      record({ outcome: "failed", code: toScalerError(error).code });
      throw error;
    } finally {
      endOperation();
    }
  }

  /** What it depends on comes first, each with its own time. @param above keys on the way here, against circles */
  async #wakeWithUsed(entry: CatalogEntry, above: readonly string[]): Promise<Range> {
    if (above.includes(entry.key)) throw new ScalerError("SCALER_BAD_OPTIONS", `${entry.key} depends on itself`);
    const { dependsOn, wakeTimeout } = entry.resource.policy;
    const used = dependsOn.map((text) => entryOf(resolveDependency(text, entry.ref), this.#options.catalog));
    await Promise.all(used.map((each) => this.#wakeWithUsed(each, [...above, entry.key])));
    return this.#claimAndWait(entry, this.#options.clock.monotonic() + wakeTimeout);
  }

  /**
   * Claims, again where somebody else writes meanwhile, until replicas are seen ready. After each claim it looks often at
   * first: what nobody uses may sleep again before long. @param until monotonic ms
   */
  async #claimAndWait(entry: CatalogEntry, until: Milliseconds): Promise<Range> {
    const { clock } = this.#options;
    const startedAt = clock.monotonic();
    const first = await this.#read(entry);
    let claims = 0;
    let claimedAt: string | undefined;
    for (let pauses = 0, read = first; ; read = await this.#read(entry)) {
      if (isAwake(read)) return { from: first.desired, to: read.desired };
      // Once asked for it is only waited for: each claim would move the version.
      if (pauses === 0 || read.desired === 0) {
        // What was accepted may take a while to show: only where the version has moved on has somebody stopped it.
        const isNew = read.version !== claimedAt;
        if (isNew && claims === mostClaims) throw toStopped(entry);
        if ((await this.#claim(entry, read)) && isNew) [claims, pauses, claimedAt] = [claims + 1, 0, read.version];
      } else if (isNews(read, first, clock.monotonic() - startedAt)) throw toFailure(read);
      await this.#pause(entry, pauses, until);
      pauses += 1;
    }
  }

  /** A conflict or a lost answer, which give false, are no end: the next reading shows what became of it. */
  async #claim({ scaler, ref }: CatalogEntry, read: Resource): Promise<boolean> {
    const { sleepGate } = this.#options;
    sleepGate.cancelSleep(ref);
    await sleepGate.whenOpen(ref);
    const ended = sleepGate.beginWake(ref);
    try {
      const replicas = read.desired >= 1 ? read.desired : Math.max(1, read.wakeReplicas);
      const { compareAndSet } = scaler.capabilities;
      const guard = compareAndSet ? { ifVersion: read.version } : {};
      await scaler.setScale(ref, replicas, { signal: this.#life.signal, ...guard });
      return true;
    } catch (error) {
      if (!isScalerError(error) || !error.retryable || error.code === "SCALER_ABORTED") throw error;
      return false;
    } finally {
      ended();
    }
  }

  async #read({ scaler, ref, key }: CatalogEntry): Promise<Resource> {
    const observe = this.#options.catalog.beginObservation(scaler, ref);
    const resource = await scaler.getResource(ref, { signal: this.#life.signal });
    if (resource === undefined) throw new ScalerError("SCALER_NOT_FOUND", `${key} is gone`);
    observe(resource);
    return resource;
  }

  async #pause({ key, resource }: CatalogEntry, attempt: number, until: Milliseconds): Promise<void> {
    const { clock } = this.#options;
    const leftMs = until - clock.monotonic();
    const timeout = `${key} did not wake within its wakeTimeout of ${resource.policy.wakeTimeout} ms`;
    if (leftMs <= 0) throw new ScalerError("DLX_WAKE_TIMEOUT", timeout);
    await clock.sleep(Math.min(leftMs, backoffMs(attempt, { firstMs: 50, longestMs: 1_000 })), this.#life.signal);
  }
}

function isAwake({ desired, ready }: Resource): boolean {
  return desired > 0 && ready > 0;
}

/** Nothing happened, so it is no event of the journal. */
function wasAwake({ key }: CatalogEntry, by: string, now: number): ScaleEvent {
  return { id: 0, at: now, kind: "wake", resource: key, by, reason: "it was awake already", outcome: "done" };
}

interface Range {
  readonly from: number;
  readonly to: number;
}

/** Whether the failure that is read now is about this wake. */
function isNews({ failure }: Resource, before: Resource, forMs: Milliseconds): boolean {
  if (failure === undefined) return false;
  return failure.message !== before.failure?.message || forMs >= staleFailureMs;
}

function toFailure({ failure }: Resource): ScalerError {
  return new ScalerError(failure?.code ?? "SCALER_START_FAILED", failure?.message ?? "it did not start");
}

function toStopped({ key }: CatalogEntry): ScalerError {
  const message = `${key} was stopped again each of ${String(mostClaims)} times that it was woken, before it was seen ready`;
  return new ScalerError("SCALER_CONFLICT", message);
}

function entryOf(ref: ResourceRef, catalog: ResourceCatalog): CatalogEntry {
  const key = formatRef(ref);
  const entry = catalog.get(key);
  if (entry === undefined) throw new ScalerError("SCALER_NOT_FOUND", `there is no resource ${key}`);
  return entry;
}

function orAborted<Result>(promise: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(new ScalerError("SCALER_ABORTED", "the wait was given up; the wake goes on"));
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    void promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
