import { type Clock, isScalerError, type LeaderElector, type Logger, type Milliseconds } from "@dormouse/core";
import { jitterFactor } from "./leader-elector-options.ts";
import type { Lease, LeaseSpec, LeaseStore } from "./lease-store.ts";

/** What an elector needs. */
export interface LeaseElectorOptions {
  readonly store: LeaseStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Names this process, and no other that ever was. */
  readonly identity: string;
  readonly leaseDurationMs: Milliseconds;
  readonly renewDeadlineMs: Milliseconds;
  readonly retryPeriodMs: Milliseconds;
}

/** The Lease as we last saw it, and since when it has been so by our own clock. */
interface Seen {
  readonly lease: Lease;
  readonly unchangedSince: Milliseconds;
}

/**
 * Elects by one Lease, by the rules of client-go: a candidate takes over once the record has not changed for as long as it
 * says itself, measured by the candidate's own monotonic clock, and each write is on top of the version that was read.
 * Clocks may differ; only their pace may not, by more than leaseDuration to renewDeadline.
 */
export class LeaseElector implements LeaderElector {
  readonly #options: LeaseElectorOptions;
  readonly #life = new AbortController();
  #seen: Seen | undefined;
  /** When the last accepted write of ours was sent; undefined while somebody else leads, or nobody. */
  #renewedAt: Milliseconds | undefined;
  #campaign: Promise<void> = Promise.resolve();
  #wasLeader = false;
  /** Somebody wrote after us: what we saw is not what is there. */
  #isOutdated = false;
  /** A write of ours was sent, so that the Lease may be ours whatever we know. */
  #hasWritten = false;

  constructor(options: LeaseElectorOptions) {
    this.#options = options;
  }

  /** By the clock of this very moment: a process that was frozen knows it at once. */
  isLeader(): boolean {
    const { clock, renewDeadlineMs } = this.#options;
    return this.#renewedAt !== undefined && clock.monotonic() - this.#renewedAt < renewDeadlineMs;
  }

  lead(signal: AbortSignal): Promise<void> {
    const ended = AbortSignal.any([signal, this.#life.signal]);
    // One campaign after the other: two would renew for each other.
    this.#campaign = this.#campaign.then(() => this.#run(ended));
    return this.#campaign;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#life.abort();
    await this.#campaign;
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#try(signal);
      this.#tellChanges();
      if (!signal.aborted) await this.#options.clock.sleep(this.#pauseMs(), signal).catch(() => {});
    }
    await this.#release();
  }

  #pauseMs(): Milliseconds {
    const { retryPeriodMs } = this.#options;
    return this.isLeader() ? retryPeriodMs : retryPeriodMs * (1 + jitterFactor * Math.random());
  }

  /** A failure changes nothing: the lead ends by time alone. Where somebody else wrote, it is looked at once more at once. */
  async #try(signal: AbortSignal, isSecond = false): Promise<void> {
    try {
      await this.#acquireOrRenew(signal);
    } catch (error) {
      if (signal.aborted) return;
      const { logger } = this.#options;
      this.#isOutdated ||= isChanged(error);
      if (!isChanged(error)) logger.warn({ error, leads: this.isLeader() }, "the lease could not be read or written");
      else logger.debug({ error }, "somebody else wrote the lease");
      if (isChanged(error) && !isSecond) await this.#try(signal, true);
    }
  }

  async #acquireOrRenew(signal: AbortSignal): Promise<void> {
    const { store, clock, renewDeadlineMs } = this.#options;
    const options = { signal, deadlineMs: renewDeadlineMs / 3 };
    if (!this.isLeader() || this.#isOutdated) await this.#look(options);
    if (!this.#mayWrite()) return;
    this.#hasWritten = true;
    const sentAt = clock.monotonic();
    const lease = this.#seen?.lease;
    const spec = this.#specOn(lease?.spec);
    this.#won(await (lease === undefined ? store.create(spec, options) : store.update(lease, spec, options)), sentAt);
  }

  /** Reads the Lease; the wait begins anew with each change of what it says. */
  async #look(options: { readonly signal: AbortSignal; readonly deadlineMs: Milliseconds }): Promise<void> {
    const { store, clock, identity } = this.#options;
    const lease = await store.read(options);
    this.#isOutdated = false;
    if (lease === undefined) this.#seen = undefined;
    else {
      const isSame = this.#seen !== undefined && recordOf(this.#seen.lease) === recordOf(lease);
      const unchangedSince = isSame ? (this.#seen?.unchangedSince ?? clock.monotonic()) : clock.monotonic();
      this.#seen = { lease, unchangedSince };
    }
    if (holderOf(this.#seen?.lease) !== identity) this.#renewedAt = undefined;
  }

  #mayWrite(): boolean {
    const { clock, identity, leaseDurationMs } = this.#options;
    if (this.#seen === undefined) return true;
    const { lease, unchangedSince } = this.#seen;
    const holder = holderOf(lease);
    if (holder === "" || holder === identity) return true;
    const seconds = lease.spec?.leaseDurationSeconds;
    const validMs = typeof seconds === "number" && seconds > 0 ? seconds * 1_000 : leaseDurationMs;
    return clock.monotonic() - unchangedSince >= validMs;
  }

  #won(lease: Lease, sentAt: Milliseconds): void {
    this.#seen = { lease, unchangedSince: this.#options.clock.monotonic() };
    this.#renewedAt = sentAt;
  }

  #specOn(before: LeaseSpec | undefined): LeaseSpec {
    const { clock, identity, leaseDurationMs } = this.#options;
    const now = microTime(clock.now());
    const isOurs = before?.holderIdentity === identity;
    const transitions = before?.leaseTransitions ?? 0;
    return {
      holderIdentity: identity,
      leaseDurationSeconds: leaseDurationMs / 1_000,
      acquireTime: isOurs ? (before.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions: before === undefined || isOurs ? transitions : transitions + 1,
    };
  }

  /** Gives the Lease back where it is ours, so that the next need not wait. */
  async #release(): Promise<void> {
    const { store, clock, identity, logger, renewDeadlineMs } = this.#options;
    this.#renewedAt = undefined;
    this.#seen = undefined;
    this.#tellChanges();
    if (!this.#hasWritten) return;
    const options = { signal: new AbortController().signal, deadlineMs: renewDeadlineMs / 3 };
    try {
      const lease = await store.read(options);
      if (lease === undefined || holderOf(lease) !== identity) return;
      const now = microTime(clock.now());
      const spec = { ...lease.spec, holderIdentity: "", leaseDurationSeconds: 1, acquireTime: now, renewTime: now };
      await store.update(lease, spec, options);
    } catch (error) {
      if (!isChanged(error))
        logger.warn({ error }, "the lease could not be released; the next leader waits for its end");
    }
  }

  #tellChanges(): void {
    const leads = this.isLeader();
    if (leads === this.#wasLeader) return;
    this.#wasLeader = leads;
    const { identity, logger } = this.#options;
    logger.info({ identity, holder: holderOf(this.#seen?.lease) }, leads ? "leads now" : "leads no more");
  }
}

/** Written or deleted by somebody else. */
function isChanged(error: unknown): boolean {
  return isScalerError(error) && (error.code === "SCALER_CONFLICT" || error.code === "SCALER_NOT_FOUND");
}

function holderOf(lease: Lease | undefined): string {
  return lease?.spec?.holderIdentity ?? "";
}

/** What counts as a change: the record, not the object's labels or annotations. */
function recordOf({ spec = {} }: Lease): string {
  const { holderIdentity, leaseDurationSeconds, acquireTime, renewTime, leaseTransitions } = spec;
  return JSON.stringify([holderIdentity, leaseDurationSeconds, acquireTime, renewTime, leaseTransitions]);
}

/** RFC 3339 with microseconds, which the server insists on. */
function microTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace("Z", "000Z");
}
